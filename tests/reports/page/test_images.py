import asyncio
import base64
import json
import re
import shutil
import sys
import xml.etree.ElementTree as ET
import zlib
from importlib.util import find_spec

import plotly.graph_objects as go
import pytest
from PIL import Image

from reports.page import images, page
from reports.page.payload import rounded
from results.errors import InputError

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

with_browser = pytest.mark.skipif(
    BROWSER is None or find_spec("kaleido") is None,
    reason="no Kaleido or no Chromium found; install both to check that figures become images",
)


def figure(height=300, **layout):
    return go.Figure(go.Scatter(x=[1, 2, 3], y=[1, 3, 2], name="a series"), {"height": height, **layout})


@pytest.fixture
def kaleido(monkeypatch):
    """Let Kaleido write these bytes for each figure, or raise this error half-way."""
    module = pytest.importorskip("kaleido", reason="Kaleido is not installed")

    def let(content=b"drawn", error=None):
        def write(orders, **_):
            for order in orders:
                order["path"].write_bytes(content)
                if error is not None:
                    raise error

        monkeypatch.setattr(module, "write_fig_from_object_sync", write)

    return let


def refused(*arguments):
    with pytest.raises(InputError) as caught:
        images.write_images(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


@with_browser
def test_a_png_is_white_and_twice_as_fine_as_the_page(tmp_path):
    dark = figure(300, template="plotly_dark")
    paths = images.write_images([("one", figure(200)), ("two-2", dark)], tmp_path / "new" / "folder")
    assert paths == [tmp_path / "new" / "folder" / name for name in ("one.png", "two-2.png")]
    assert sorted(paths[0].parent.iterdir()) == paths
    for path, height in zip(paths, (200, 300), strict=True):
        with Image.open(path) as image:
            assert (image.format, image.size) == ("PNG", (2400, 2 * height))
            assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
            assert len(image.convert("RGB").getcolors(1 << 24)) > 10


@with_browser
def test_an_svg_needs_nothing_else_and_the_browser_asks_nobody(tmp_path, monkeypatch):
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\nexec {BROWSER} "$@"\n')
    script.chmod(0o755)
    import kaleido  # noqa: PLC0415 - not everywhere there

    written = []
    draw = kaleido.PageGenerator.generate_index
    monkeypatch.setenv("BROWSER_PATH", str(script))
    monkeypatch.setattr(kaleido.PageGenerator, "generate_index", lambda page: written.append(draw(page)) or written[-1])
    hostile = images.titled(figure(), "<a href='https://example.org'>$x$</a>", "<img src=x>")
    (path,) = images.write_images([("one", hostile)], tmp_path / "out", "svg")
    assert f"--proxy-server={images.NOWHERE}" in (tmp_path / "arguments").read_text().splitlines()
    assert "http" not in written[0]
    root = ET.parse(path).getroot()  # noqa: S314 - our own file
    assert (root.get("width"), root.get("height")) == ("1200", str(300 + images.TITLE_PIXELS))
    texts = {element.text for element in root.iter() if element.tag.endswith("}text")}
    assert {"<a href='https://example.org'>$x$</a>", "<img src=x>"} <= texts
    tags = {element.tag.partition("}")[2] for element in root.iter()}
    assert not tags & {"a", "image", "script", "foreignObject"}


@with_browser
def test_all_figures_take_one_browser(tmp_path, monkeypatch):
    from choreographer.browsers.chromium import Chromium  # noqa: PLC0415

    started = []
    command = Chromium.get_cli
    monkeypatch.setattr(Chromium, "get_cli", lambda browser: started.append(browser) or command(browser))
    paths = images.write_images(((f"figure-{index}", figure(120)) for index in range(5)), tmp_path, "svg")
    assert len(started) == 1
    assert all(path.stat().st_size > 1000 for path in paths)


@pytest.mark.parametrize(
    ("path", "message"),
    [("/none/chromium", "Kaleido finds none: install Chrome"), ("/bin/false", "does not work (BrowserFailedError)")],
)
def test_a_browser_that_is_missing_or_broken_is_one_line(tmp_path, monkeypatch, path, message):
    pytest.importorskip("kaleido", reason="Kaleido is not installed")
    monkeypatch.setenv("BROWSER_PATH", path)
    assert message in refused([("one", figure())], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_kaleido_the_line_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kaleido", None)
    assert "pip install 'resnet-bench[figures]'" in refused([("one", figure())], tmp_path)


def broken():
    errors = pytest.importorskip("choreographer.errors", reason="Kaleido is not installed")
    closed = errors.BrowserClosedError("closed\nhere"), errors.ChannelClosedError()
    return [*closed, TimeoutError(), asyncio.CancelledError()]


@pytest.mark.parametrize("index", range(4))
def test_a_browser_that_ends_half_way_leaves_everything_as_it_was(tmp_path, kaleido, index):
    (tmp_path / "one.png").write_bytes(b"old")
    error = broken()[index]
    kaleido(error=error)
    assert f"does not work ({type(error).__name__})" in refused([("one", figure()), ("two", figure())], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["one.png"]
    assert (tmp_path / "one.png").read_bytes() == b"old"


def test_files_are_replaced_only_once_all_are_drawn(tmp_path, kaleido):
    (tmp_path / "one.png").write_bytes(b"old")
    kaleido()

    def figures():
        yield "one", figure()
        raise InputError("no more")

    assert refused(figures(), tmp_path) == "no more"
    assert (tmp_path / "one.png").read_bytes() == b"old"
    assert images.write_images([("one", figure())], tmp_path) == [tmp_path / "one.png"]
    assert (tmp_path / "one.png").read_bytes() == b"drawn"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["", "..", "../one", "a/b", "One", ".one", "-one", "a b", "ä", "one\n", "a" * 101])
def test_a_name_that_is_no_safe_file_is_refused(tmp_path, kaleido, name):
    kaleido()
    with pytest.raises(ValueError, match="is no name of a figure's file"):
        images.write_images([(name, figure())], tmp_path)


def test_two_figures_of_one_name_are_refused(tmp_path, kaleido):
    kaleido()
    with pytest.raises(ValueError, match="two figures are named 'one'"):
        images.write_images([("one", figure()), ("one", figure())], tmp_path)


def test_a_folder_that_cannot_be_is_one_line(tmp_path, kaleido):
    kaleido()
    (tmp_path / "file").write_text("")
    assert "choose another folder" in refused([("one", figure())], tmp_path / "file")


def test_the_figures_of_a_run_have_their_words_and_names_of_their_own(make_records, tmp_path):
    made = dict(images.figures(make_records(tmp_path)))
    names = [name.rpartition("-")[0] for name in made]
    assert len(made) == len(names) > len(set(names)) > 3
    assert all(drawn.layout.title.text for drawn in made.values())
    assert "batch 8" in made["depth-1"].layout.title.subtitle.text


@pytest.mark.parametrize(("cases", "choices"), [(5_000, 12), (40, 2)])
def test_images_are_the_charts_that_the_page_shows(make_records, tmp_path, monkeypatch, cases, choices):
    monkeypatch.setattr("reports.page.selection.MOST_CASES", cases)
    monkeypatch.setattr("reports.page.content.FEW_VIEWS", choices)
    records = make_records(tmp_path)
    text = page.render(records)
    packed = re.search(r'id="payload">([^<]*)</script>', text)[1]
    charts = json.loads(zlib.decompress(base64.b64decode(packed), -zlib.MAX_WBITS))["charts"]
    made = {name: rounded(json.loads(drawn.to_json())["data"]) for name, drawn in images.figures(records)}
    assert made == {
        f"{name}-{index}": view["data"] for name, views in charts.items() for index, view in enumerate(views, start=1)
    }


def test_words_make_room_for_themselves():
    plain, high = figure(), figure(xaxis={"side": "top"})
    for drawn in (plain, high):
        images.titled(drawn, "title", "subtitle")
        assert drawn.layout.height == 300 + images.TITLE_PIXELS
    assert high.layout.margin.t > plain.layout.margin.t == images.TITLE_PIXELS
