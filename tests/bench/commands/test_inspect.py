import csv
import io
import json
import re

import pytest

from bench.cli import main
from bench.costs import static as costs
from bench.doctor import doctor
from bench.doctor.checks import Check
from results.errors import InputError


def test_list_shows_models_suites_recipes_and_metrics(call):
    code, out, err = call("list")
    assert (code, err) == (0, "")
    for expected in (
        "MODELS",
        "resnet50 ",
        "torchvision:vgg16 ",
        "SUITES",
        "default ",
        "RECIPES",
        "he2015-cifar ",
        "METRICS",
        "latency_s ",
    ):
        assert expected in out
    alone = [call("list", what)[1] for what in ("models", "suites", "recipes", "metrics")]
    assert all(text in out for text in alone)
    assert "default " not in alone[0]


def test_cost_as_json_holds_what_is_known_and_nothing_else_is_on_stdout(call):
    code, out, err = call("cost", "cifar_resnet20", "--format", "json")
    assert (code, err) == (0, "")
    (static,) = json.loads(out)
    assert static["flops"] == 2 * static["macs"]
    assert static["stages"]
    assert "layers" not in static


@pytest.fixture
def counted_as(monkeypatch, make_static):
    """Let `cost` find these fields in place of counting."""

    def let(**fields):
        def cost_all(names, *, image_size, in_channels, head):
            images = {"image_size": image_size or 224, "in_channels": in_channels, "head": head}
            return (make_static(name, **images, **fields) for name in names)

        monkeypatch.setattr(costs, "costs", cost_all)

    return let


@pytest.fixture
def counted(counted_as):
    counted_as()


@pytest.mark.usefixtures("counted")
def test_cost_counts_a_head_and_refuses_an_unknown_name(call):
    _, out, _ = call("cost", "resnet18", "--format", "csv", "--head", "none")
    (row,) = csv.DictReader(io.StringIO(out))
    assert row["head"] == "none"
    code, _, err = call("cost", "resnet18", "--head", "non")
    assert (code, err.count("\n")) == (2, 1)
    assert "unknown head 'non'; did you mean 'none'?" in err


@pytest.mark.usefixtures("counted")
def test_cost_takes_several_models_and_counts_each_once(call):
    _, out, _ = call("cost", "resnet18,resnet50", "resnet18", "--format", "csv", "--image-size", 64)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["model"], row["image_size"]) for row in rows] == [("resnet18", "64"), ("resnet50", "64")]
    assert rows[0]["model_bytes_fp16"] == "51220728"


@pytest.mark.usefixtures("counted")
def test_cost_of_all_is_every_variant_and_no_peer(call):
    _, out, _ = call("cost", "all", "--format", "json")
    names = [static["model"] for static in json.loads(out)]
    assert "cifar_wrn_28_10" in names
    assert len(names) == len(set(names))
    assert not any(name.startswith("torchvision:") for name in names)


def fields(line):
    return re.split(r"\s{2,}", line.strip())


def test_cost_of_other_images_says_which(call, counted_as):
    counted_as()
    _, text, _ = call("cost", "resnet50", "--image-size", "224x160", "--in-channels", "1")
    assert fields(text.splitlines()[-3])[:3] == ["model", "px", "channels"]
    assert text.splitlines()[-1].split()[:3] == ["resnet50", "224x160", "1"]
    _, out, _ = call("cost", "resnet50", "--image-size", "224x160", "--in-channels", "1", "--format", "json")
    assert [(row["image_size"], row["in_channels"]) for row in json.loads(out)] == [("224x160", 1)]


def test_cost_for_people_is_what_a_model_is_and_what_it_does(call, counted_as):
    counted_as(trainable_parameters=25_000_000, uncounted=("aten::add_", "aten::max_pool2d"))
    code, text, err = call("cost", "resnet50", "torchvision:resnext101_32x8d")
    assert (code, err) == (0, "")
    assert max(map(len, text.splitlines())) <= 120
    size, work, uncounted = text.strip("\n").split("\n\n")
    lines = size.splitlines()
    assert fields(lines[0]) == ["model", "family", "parameters", "trainable", "buffers", "fp32 MB", "fp16 MB"]
    assert fields(lines[2]) == ["resnet50", "resnet", "25,557,032", "25,000,000", "53,173", "102.4", "51.2"]
    lines = work.splitlines()
    assert fields(lines[0])[:6] == ["model", "px", "GMACs", "fvcore GMACs", "GFLOPs", "training GFLOPs"]
    assert fields(lines[2]) == ["resnet50", "224", "4.089", "4.145", "8.178", "24.299", "11.11", "43.0"]
    assert uncounted.endswith(": aten::add_, aten::max_pool2d")


def test_cost_in_markdown_and_without_uncounted_operators(call, counted_as):
    counted_as(uncounted=())
    _, markdown, _ = call("cost", "resnet50", "--format", "markdown")
    size, work = markdown.strip("\n").split("\n\n")
    assert "\n| resnet50 | resnet | 25,557,032 | 25,557,032 | 53,173 |" in size
    assert "\n| resnet50 | 224 | 4.089 | 4.145 |" in work


LAYER = ["conv1", "Conv2d", "1x64x112x112", "9,408", "118,013,952", "802,816"]


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(
    ("part", "heads", "first", "exact"),
    [
        (
            "layer",
            ["layer", "type", "output", "parameters", "MACs", "activations"],
            LAYER,
            {"model": "resnet50", "name": "conv1", "type": "Conv2d", "output_shape": "1x64x112x112"},
        ),
        (
            "stage",
            ["stage", "parameters", "MACs", "activations"],
            [LAYER[0], *LAYER[3:]],
            {"model": "resnet50", "name": "conv1"},
        ),
    ],
)
def test_cost_by_layer_and_by_stage_in_every_form(call, part, heads, first, exact):
    _, text, _ = call("cost", "resnet50", f"--per-{part}")
    lines = text.splitlines()
    assert lines[:2] == ["resnet50", ""]
    assert (fields(lines[2]), fields(lines[4])) == (heads, first)
    assert "fvcore GMACs" in text
    _, markdown, _ = call("cost", "resnet50", f"--per-{part}", "--format", "markdown")
    assert f"| {' | '.join(first)} |" in markdown
    _, rows, _ = call("cost", "resnet50", f"--per-{part}", "--format", "csv")
    found = list(csv.DictReader(io.StringIO(rows)))
    assert [row["name"] for row in found] == ["conv1", "fc"]
    exact |= {"parameters": "9408", "macs": "118013952", "activations": "802816"}
    assert exact.items() <= found[0].items()
    _, document, _ = call("cost", "resnet50", f"--per-{part}", "--format", "json")
    assert [row["name"] for row in json.loads(document)[0][f"{part}s"]] == ["conv1", "fc"]


SEEN = {
    state: Check(name=f"the {state}", state=state, seen="something", remedy=None if state == "good" else "do this")
    for state in ("good", "warn", "bad", "unknown")
}


@pytest.fixture
def examine(capsys, monkeypatch):
    """Run `doctor` in this process, which finds `states`; gives exit code, stdout and stderr."""
    monkeypatch.setattr(doctor.host, "look", lambda: None)

    def call_main(*arguments, states=("good",)):
        monkeypatch.setattr(doctor, "CHECKS", [lambda _, state=state: SEEN[state] for state in states])
        code = main(["doctor", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call_main


@pytest.mark.parametrize(
    ("states", "code", "verdict"),
    [
        (("good", "unknown"), 0, "fit to measure"),
        (("good", "warn"), 0, "fit, with 1 warning"),
        (("warn", "bad"), 1, "not fit: the bad"),
    ],
)
def test_the_exit_code_is_the_verdict_that_stands_first(examine, states, code, verdict):
    found, out, err = examine("--device", "cpu", "--no-aa", states=states)
    assert (found, err) == (code, "")
    assert out.startswith(f"{verdict}\n")


def test_json_is_all_that_stdout_holds(examine):
    code, out, _ = examine("--device", "cpu", "--no-aa", "--format", "json", states=("bad",))
    assert code == 1
    content = json.loads(out)
    assert content["fit"] is False
    assert content["floor"] is None


def test_the_a_a_run_gets_the_options(examine, monkeypatch):
    def aa(a, b, **options):
        raise InputError(f"{dict(a.axes)} for {options['time_limit_s']:g} s on {options['device']}")

    monkeypatch.setattr("bench.schedule.ab.ab", aa)
    code, out, err = examine("--device", "cpu", "--model", "resnet34", "--batch-size", "3", "--time", "5")
    assert (code, out) == (2, "")
    assert err == "error: {'model': 'resnet34', 'batch_size': 3} for 5 s on cpu\n"


@pytest.mark.parametrize(
    "arguments", [("--time", "0"), ("--batch-size", "0"), ("--format", "xml"), ("--device", "cpu", "surplus")]
)
def test_bad_options_are_bad_input(examine, arguments):
    code, out, err = examine(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_device_that_is_not_there_is_bad_input(examine):
    code, out, err = examine("--device", "cuda:99", "--no-aa")
    assert (code, out) == (2, "")
    assert "cuda:99" in err
