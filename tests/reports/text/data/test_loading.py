import csv
import io
import json

import pytest
from msgspec import structs

from reports.text.data.loading import loading_text, verdict
from results.analysis.loading import loading_findings
from results.errors import InputError
from tests.loadings import loading, rate


def text(measured=None, fmt="table"):
    return loading_text(loading_findings(measured or loading()), fmt)


def test_the_verdict_says_how_long_the_network_waits():
    sentence = verdict(loading_findings(loading()))
    assert sentence == (
        "the loader with 2 workers gives 900.00 images a second, resnet18 takes 2,400.0: "
        "it waits 62 % of the time (62 % to 62 %)"
    )


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        (loading(network_per_s=25), "it never waits"),
        (loading(network_per_s=900, noise=(1.0, 1.05, 0.96)), "about as many, it waits at most"),
        (loading(rates=[rate(path="slices", workers=0, per_s=9000)]), "slicing gives 9,000"),
        (
            structs.replace(loading(), network_image_s=None, nulls={"network_image_s": "out of memory"}),
            "what resnet18 takes is unknown: out of memory",
        ),
    ],
)
def test_other_verdicts(measured, words):
    assert words in verdict(loading_findings(measured))


def test_the_table_shows_stages_workers_and_what_follows():
    lines = text(loading(left_out=(4, 8), notes=("a note",))).splitlines()
    assert lines[0].startswith("photos: 1,000 images in files of 96.0 kB, Pillow 12.0, 512 of them read before")
    decode = next(line for line in lines if line.startswith("decode"))
    assert decode.split() == ["decode", "3.0000", "71", "%", "333.33", "<0.01"]
    transfer = next(line for line in lines if line.startswith("transfer"))
    assert transfer.endswith("the CPU is the device: nothing is transferred")
    assert next(line for line in lines if line.endswith("advised")).split()[:3] == ["DataLoader", "2", "900.00"]
    assert any(line.startswith("advice: --workers 2, ") for line in lines)
    assert "not measured, as more workers were slower already: 4, 8" in lines
    assert lines[-1] == "a note"


def test_slices_are_the_advice_for_images_in_memory():
    rates = [rate(workers=0, per_s=500), rate(path="slices", workers=0, per_s=30_000)]
    lines = text(loading(rates=rates, image_bytes=None, decoder=None)).splitlines()
    assert lines[0].startswith("photos: 1,000 images in memory; batches of 64")
    assert "slices are 60.000 × as fast as the fastest DataLoader" in lines
    assert any(line.startswith("advice: slices") for line in lines)


def test_an_interval_that_says_nothing_is_explained():
    measured = loading(rates=[rate(workers=0, per_s=500, noise=(1.0, 4.0, 0.2))])
    assert text(measured).splitlines()[-1].startswith("unknown: ")
    assert "unknown" not in text()


def test_json_holds_what_was_measured_and_what_follows():
    content = json.loads(text(fmt="json"))
    assert content["workers"] == 2
    assert content["waits"]["value"] == pytest.approx(0.625)
    assert content["loading"]["rates"][0]["image_s"] == [1 / 450] * 3


def test_csv_has_a_row_for_each_figure():
    rows = list(csv.DictReader(io.StringIO(text(fmt="csv"))))
    assert [(row["figure"], row["name"], row["workers"]) for row in rows[-3:]] == [
        ("path", "DataLoader", "0"),
        ("path", "DataLoader", "2"),
        ("network", "resnet18", ""),
    ]
    by_name = {row["name"]: row for row in rows[:6]}
    assert by_name["transfer"]["images_per_s"] == ""
    assert by_name["transfer"]["reason"]
    assert float(by_name["decode"]["images_per_s"]) == pytest.approx(1 / 3e-3)
    assert float(rows[-1]["share"]) == pytest.approx(0.625)


def test_markdown_has_two_tables():
    markdown = text(fmt="markdown")
    assert [line for line in markdown.splitlines() if line.startswith(("| stage", "| path"))] == [
        "| stage | ms/image | share | img/s | ± % |  |",
        "| path | workers | img/s | ± % | first batch |  |",
    ]
    assert "\n| DataLoader | 2 | 900.00 |" in markdown


def test_an_unknown_format_is_bad_input():
    with pytest.raises(InputError, match="unknown format"):
        text(fmt="xml")
