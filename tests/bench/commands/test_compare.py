import csv
import io
import json

import pytest
from msgspec import structs

from bench.cli import main
from results.schema.kinds import Unknown
from results.schema.lines.run import Arm, End
from results.storage.lines import encode
from tests.results.histories import make_history, spreads
from tests.trainings import made_trainings, training_header, write_trainings


@pytest.fixture
def call(capsys):
    """Run `compare` in this process; gives exit code, stdout and stderr."""

    def call_main(*arguments):
        code = main(["compare", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call_main


@pytest.fixture
def side(tmp_path, make_record, make_static, make_run, write_run):
    """The folder of a run of four replicates, as `factor` makes it slower."""

    def make(name, factor=1.0, **end):
        records = [
            make_record(replicate=index, latency_s=0.05 * factor * noise, noise=0.001)
            for index, noise in enumerate((0.998, 1.0, 1.002, 1.001))
        ]
        run = make_run(plan=[records[0].case], run_id=name)
        return write_run(tmp_path / name, records, [make_static()], run=run, **end).parent

    return make


@pytest.mark.parametrize(("factor", "code", "outcome"), [(1.0, 0, "pass"), (1.2, 1, "regression"), (0.8, 0, "pass")])
def test_the_exit_code_is_the_outcome(call, side, factor, code, outcome):
    found, out, err = call(side("a"), side("b", factor))
    assert (found, err) == (code, "")
    assert out.startswith(f"{outcome}: 1 ")


def test_what_cannot_be_said_is_code_3(call, side):
    found, out, _ = call(side("a"), side("b", 1.02))
    assert found == 3
    assert out.startswith("inconclusive: 1 inconclusive, at a margin of 2 %")
    assert call(side("c"), side("d", status=None))[0] == 3


def test_the_margin_is_asked_for(call, side):
    base, new = side("a"), side("b", 1.1)
    assert call(base, new)[0] == 1
    assert call(base, new, "--margin", "20%")[0] == 0
    assert call(base, new, "--margin", "0.2")[0] == 0


@pytest.mark.parametrize("margin", ["0", "-1%", "100%", "much", "nan"])
def test_a_bad_margin_is_bad_input(call, side, margin):
    found, out, err = call(side("a"), side("b"), f"--margin={margin}")
    assert (found, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_missing_base_is_bad_input_and_no_pass(call, side, tmp_path):
    found, out, err = call(tmp_path / "none.jsonl", side("b"))
    assert (found, out) == (2, "")
    assert "there is no file" in err


def test_a_run_against_itself_is_bad_input(call, side):
    base = side("a")
    assert call(base, base)[0] == 2


def test_a_file_that_lost_lines_is_told_and_never_passes(call, side):
    new = side("b", status=None)
    found, out, err = call(side("a"), new)
    assert found == 3
    assert "warning: " in err
    assert "no end line" in out


def test_lines_of_an_unknown_kind_are_told_once_and_forbid_no_pass(call, side):
    base, new = side("a"), side("b")
    for folder in (base, new):
        (path,) = folder.glob("*.jsonl")
        *lines, _ = path.read_bytes().splitlines(keepends=True)
        first = len(lines) + 1
        lines += [encode(first + index, Unknown(kind="novelty", body={"conv1": 0.5})) for index in range(3)]
        path.write_bytes(b"".join([*lines, encode(first + 3, End(status="complete", records=4))]))
    found, out, err = call(base, new)
    assert (found, out[:6]) == (0, "pass: ")
    assert [line.count("3 lines of kind 'novelty'") for line in err.splitlines()] == [1, 1]


def test_the_table_has_a_line_a_case(call, side):
    out = call(side("a"), side("b", 1.2))[1].splitlines()
    assert "model base ms new ms new / base 95 % interval verdict why" in [" ".join(line.split()) for line in out]
    (cells,) = [line.split() for line in out if line.startswith("resnet50 ")]
    assert float(cells[3]) == pytest.approx(1.2, abs=0.005)
    assert cells[-1] == "slower"


def test_json_holds_everything(call, side):
    found, out, _ = call(side("a"), side("b", 1.2), "--format", "json")
    document = json.loads(out, parse_constant=pytest.fail)
    assert (found, document["outcome"], document["margin"]) == (1, "regression", 0.02)
    (case,) = document["cases"]
    assert case["verdict"] == "slower"
    assert case["low"] < case["ratio"] < case["high"]
    assert document["same_hardware"] is True
    assert (document["vanished"], document["added"], document["counts"], document["reasons"]) == ([], [], [], [])


def test_csv_is_a_row_a_case(call, side):
    found, out, _ = call(side("a"), side("b"), "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert (found, row["model"], row["verdict"]) == (0, "resnet50", "same")
    assert float(row["ratio"]) == pytest.approx(1, abs=0.01)


def test_markdown_is_a_table(call, side):
    out = call(side("a"), side("b"), "--format", "markdown")[1].splitlines()
    assert out[0].startswith("pass: 1 same")
    assert out[2].startswith("| model | base ms |")
    assert "---:" in out[3]
    assert out[4].startswith("| resnet50 |")


@pytest.mark.parametrize(
    ("factor", "code", "title"), [(1.0, 0, "Pass"), (1.2, 1, "Regression"), (1.02, 3, "Inconclusive")]
)
def test_github_is_for_comments(call, side, factor, code, title):
    found, out, err = call(side("a"), side("b", factor), "--format", "github")
    assert (found, err) == (code, "")
    assert out.startswith(f"<!-- resnet-bench:compare -->\n**{title}: 1 ")


@pytest.fixture
def arms(tmp_path, make_record, make_case, make_run, make_static, write_run):
    """The folder of the two run files of an A/B comparison, whose arm b takes `factor` times as long."""

    def make(factor):
        for name, own in (("a", 1.0), ("b", factor)):
            records = []
            for index in range(10):
                record = make_record(replicate=index, latency_s=0.05 * own, noise=0.001)
                beside = tuple(0.05 * (1 + 1e-4 * index) for _ in record.samples.wall_s) if name == "b" else ()
                records.append(structs.replace(record, samples=structs.replace(record.samples, arm_s=beside)))
            run = make_run(plan=[make_case()], run_id=f"p-{name}", arm=Arm(name=name, pair="p", margin=0.02))
            write_run(tmp_path / "ab", records, [make_static()], run=run)
        return tmp_path / "ab"

    return make


@pytest.mark.parametrize(("factor", "code"), [(1.0, 0), (1.2, 1)])
def test_the_arms_of_ab_are_recognised_and_judged_again(arms, call, factor, code):
    folder = arms(factor)
    found, out, err = call(folder)
    assert (found, err) == (code, "")
    assert "10 pairs" in out
    assert call(folder / "p-a.jsonl", folder / "p-b.jsonl") == (found, out, err)
    found, out, _ = call(folder, "--format", "github")
    assert found == code
    assert out.startswith("<!-- resnet-bench:ab -->\n**")
    found, out, _ = call(folder, "--format", "json")
    assert (found, json.loads(out)["judged"]["pairs"]) == (code, 10)


def test_arms_have_a_margin_already(arms, call):
    found, out, err = call(arms(1.0), "--margin", "5%")
    assert (found, out) == (2, "")
    assert err.startswith("error: --margin: ")


def test_arms_and_other_runs_are_not_compared(arms, side, call):
    found, out, err = call(arms(1.0), side("c"))
    assert (found, out) == (2, "")
    assert err.startswith("error: arms of `ab` and other runs")


@pytest.mark.parametrize("count", [1, 3])
def test_other_runs_need_two_sides(side, call, count):
    found, out, err = call(*(side(f"side{number}") for number in range(count)))
    assert (found, out) == (2, "")
    assert f"not {count}" in err
    assert err.count("\n") == 1


@pytest.fixture
def show(capsys):
    """Run `history` in this process; gives exit code, stdout and stderr."""

    def call_main(*arguments):
        code = main(["history", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call_main


@pytest.fixture
def runs(tmp_path, make_record, make_run, write_run):
    """A folder of ten run files, the last five 6 % slower."""
    latencies = [0.05 * noise * (1.06 if index >= 5 else 1) for index, noise in enumerate(spreads(10, spread=0.005))]
    for file in make_history(make_record, make_run, latencies).files:
        write_run(tmp_path / "runs", file.records, run=file.run)
    return tmp_path / "runs"


def test_a_regression_is_shown_and_never_gates(show, runs):
    code, out, err = show(runs)
    assert (code, err) == (0, "")
    assert out.startswith("1 change of level by more than 2 % in 1 series")
    assert "run-005" in out


def test_files_may_be_named_one_by_one_and_in_any_order(show, runs):
    assert show(*sorted(runs.iterdir(), reverse=True)) == show(runs)


@pytest.mark.parametrize("margin", ["10%", "0.1"])
def test_the_margin_of_history_is_an_option(show, runs, margin):
    code, out, _ = show(runs, "--margin", margin)
    assert code == 0
    assert out.startswith("no change of level ")
    assert "more than 10 %" in out


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
def test_every_form_is_there(show, runs, form):
    code, out, err = show(runs, "--format", form)
    assert (code, err) == (0, "")
    assert "run-005" in out


def test_json_is_the_only_thing_on_stdout(show, runs):
    (series,) = json.loads(show(runs, "--format", "json")[1])["series"]
    assert [change["run"] for change in series["changes"]] == ["run-005"]


@pytest.mark.parametrize("margin", ["0", "-1%", "100%", "much", "nan"])
def test_a_bad_margin_of_history_is_bad_input(show, runs, margin):
    code, out, err = show(runs, f"--margin={margin}")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_missing_file_is_bad_input(show, tmp_path):
    code, out, err = show(tmp_path / "none.jsonl")
    assert (code, out) == (2, "")
    assert "there is no file" in err


def test_help_says_that_it_is_advisory(show):
    code, out, _ = show("--help")
    assert code == 0
    assert "Advisory" in out
    assert "gates" in out


@pytest.fixture
def trained(tmp_path, make_case, make_run):
    """The run file of five seeds of a recipe, with `options` of its trainings."""

    def make(name, **options):
        return write_trainings(tmp_path, training_header(make_run, name), list(made_trainings(make_case, **options)))

    return make


def test_trainings_are_judged_by_their_seeds(call, trained):
    base = trained("a")
    found, out, err = call(base, trained("b", recipe="slow", epoch_s=200.0), "--accuracy", "90%")
    assert (found, err) == (1, "")
    assert "time to 90 %" in out
    assert call(base, trained("c", recipe="quick", epoch_s=10.0, final=0.94), "--accuracy", "0.9")[0] == 0
    assert call(base, trained("d", seeds=1))[0] == 3
    assert call(base, trained("e"), "--margin", "50%", "--format", "json")[0] == 0


def test_trainings_and_other_runs_are_not_compared(call, side, trained):
    base, training = side("a"), trained("t")
    for sides in ((base, training), (training, base)):
        found, _, err = call(*sides)
        assert found == 2
        assert err.count("\n") == 1
    found, _, err = call(base, side("c"), "--accuracy", "90%")
    assert (found, "hold no training" in err) == (2, True)
    found, _, err = call(training, trained("u"), "--format", "github")
    assert (found, "use markdown" in err) == (2, True)
    found, _, err = call(training, trained("v"), "--accuracy", "93")
    assert (found, err.count("\n")) == (2, 1)
