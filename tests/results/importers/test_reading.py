import os

import msgspec
import pytest

from results.errors import InputError
from results.importers import reading
from results.importers.reading import (
    Content,
    device_and_chip,
    missing,
    positions_text,
    read_content,
    settled_device,
    short_name,
    torch_device,
    unknown_environment,
)
from results.schema.lines.run import Environment
from results.schema.validation import validated
from results.storage.reader import check_run_id


def test_a_file_that_is_none_or_too_large_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="there is no file"):
        read_content(tmp_path / "nothing")
    with pytest.raises(InputError, match="is no regular file"):
        read_content(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is no regular file"):
        read_content(tmp_path / "pipe")
    with pytest.raises(InputError, match="cannot read"):
        read_content("a\0b")
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 4)
    (tmp_path / "large").write_text("12345")
    with pytest.raises(InputError, match="is larger than"):
        read_content(tmp_path / "large")
    (tmp_path / "large").write_text("1234")
    assert read_content(tmp_path / "large").data == b"1234"


@pytest.mark.parametrize("name", ["a.csv", "a b\nc.csv", "x" * 200 + ".csv", "é.csv", "---.csv"])
def test_any_name_gives_a_run_id_and_a_source(tmp_path, name):
    content = Content(tmp_path / name, b"1")
    check_run_id(content.run_id())
    assert content.run_id() == Content(tmp_path / "elsewhere" / name, b"1").run_id()
    assert content.run_id() != Content(tmp_path / name, b"2").run_id()
    assert content.source("csv").file.isprintable()


def test_what_is_not_known_of_a_machine_has_its_reason():
    environment = unknown_environment(cpu="AMD", accelerators={"cuda:0": "H100"}, cuda="12.4")
    assert validated(msgspec.to_builtins(environment), Environment) == environment
    values = msgspec.to_builtins(environment)
    assert set(environment.nulls) == {name for name, value in values.items() if value is None}
    assert environment.accelerators[0].memory_bytes is None


def test_an_accelerator_without_a_name_is_an_unknown_accelerator():
    (card,) = unknown_environment(accelerators={"cuda:0": None}).accelerators
    assert (card.device, card.name) == ("cuda:0", "unknown accelerator")


@pytest.mark.parametrize(
    ("word", "device"),
    [
        *(("cpu", "cpu"), ("CPU", "cpu"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("GPU", "cuda:0")),
        *(
            ("mps", "mps:0"),
            ("xpu:2", "xpu:2"),
            ("rocm", "cuda:0"),
            ("NVIDIA H100", None),
            ("cuda:x", None),
            ("", None),
        ),
    ],
)
def test_a_device_has_the_name_that_torch_gives_it(word, device):
    assert torch_device(word) == device


@pytest.mark.parametrize(
    ("option", "known", "result"),
    [
        ("NVIDIA H100", None, ("cuda:0", "NVIDIA H100")),
        ("AMD EPYC", "cpu", ("cpu", "AMD EPYC")),
        ("cpu:AMD EPYC", "cuda:0", ("cpu", "AMD EPYC")),
        ("cuda", None, ("cuda:0", None)),
        ("cuda:1", "cuda:0", ("cuda:1", None)),
        ("xpu:Intel Max", None, ("xpu:0", "Intel Max")),
    ],
)
def test_an_option_names_a_device_its_chip_or_both(option, known, result):
    assert device_and_chip(option, known) == result


def test_the_device_of_the_file_counts_and_the_option_names_its_chip():
    def settled(option, stated, mixed=False):
        return settled_device("x", option, stated, mixed=mixed)

    assert settled("NVIDIA H100", "cuda:1") == ("cuda:1", "NVIDIA H100")
    assert settled("NVIDIA H100", "cpu", mixed=True) == ("cpu", None)
    assert settled("cpu:AMD EPYC", "cuda:0", mixed=True) == ("cuda:0", None)
    assert settled("cpu:AMD EPYC", "cpu", mixed=True) == ("cpu", "AMD EPYC")
    for option, stated in (("cpu", "cuda:0"), ("cuda", "cpu")):
        with pytest.raises(InputError, match=f"x: its device is {stated}, and --device {option} is another"):
            settled(option, stated)


def test_a_long_name_fits_and_stays_different_from_others():
    long = [short_name("x" * 200 + end) for end in "ab"]
    assert len({*long}) == 2
    assert all(len(name) == 128 for name in long)
    assert short_name("x" * 128) == "x" * 128


def test_all_missing_options_are_ready_to_paste_in_the_order_of_the_axes():
    message = str(missing("x.csv", {"layout", "device", "image_size", "task"}, "a nor b"))
    assert message.startswith("x.csv: task, image_size, device, layout: stated in neither a nor b; ")
    assert message.endswith(" --task inference --image-size 224 --device cpu --layout nchw")


def test_few_positions_are_named_and_the_others_counted():
    assert positions_text(["a", "b"]) == "a, b"
    assert positions_text(list("abcde")) == "a, b, c and 2 more"
