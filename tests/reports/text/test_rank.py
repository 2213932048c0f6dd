import csv
import io
import json

import pytest

from reports.text.rank import rank_text
from results.analysis.rank import rank
from results.errors import InputError
from results.storage.reader import load


@pytest.fixture
def rankings(tmp_path, write_run, make_case, make_record, make_run):
    """Rankings of two models in some replicates, which vary by `spread`."""

    def make(replicates=6, spread=0.01, runs=("run-a",), model="resnet50"):
        paths = []
        for name in runs:
            made = [
                make_record(
                    make_case(model=what), replicate=index, noise=0.001, latency_s=0.05 * factor * (1 + spread * vary)
                )
                for row, (what, factor) in enumerate(((model, 1.0), ("resnet18", 0.4)))
                for index in range(replicates)
                for vary in [(index * (row + 2)) % 5 - 2]
            ]
            paths.append(
                write_run(tmp_path, made, run=make_run(plan=dict.fromkeys(record.case for record in made), run_id=name))
            )
        return rank(load(*paths))

    return make


def test_the_table_shows_order_ranks_relative_times_and_neighbours(rankings):
    lines = rank_text(rankings(), "table").splitlines()
    assert lines[0] == "AMD EPYC 9B14 2 cores 16 GiB, inference, batch 8, 224 px, cpu, 2 threads"
    assert lines[1] == "relative is the time over that of resnet50; ± is the half-width of its 95 % interval"
    assert lines[2].startswith(
        "1 of 1 pairs are shown to differ; the chance of any false alarm among them is at most 5 %"
    )
    assert lines[3].split() == [
        "rank",
        "may",
        "be",
        "model",
        "relative",
        "±",
        "%",
        "ms",
        "img/s",
        "next",
        "is",
        "slower",
    ]
    first, second = (line.split() for line in lines[5:7])
    assert first[:3] == ["1", "1", "resnet18"]
    assert first[-1] == "shown"
    assert float(first[3]) == pytest.approx(0.4, rel=0.03)
    assert second[:5] == ["2", "2", "resnet50", "1.00", "-"]


def test_an_interval_wider_than_the_number_is_unknown_with_the_remedy(rankings):
    lines = rank_text(rankings(replicates=2, spread=0.3), "table").splitlines()
    assert any(
        line.startswith("unknown: the 95 % interval is wider than the number itself; it takes") for line in lines
    )
    assert any("unknown" in line.split() and "1 to 2" in line and "not shown" in line for line in lines)


def test_json_holds_every_pair_and_csv_every_case(rankings):
    (ranking,) = json.loads(rank_text(rankings(), "json"))
    assert ranking["reference"] == "resnet50/inference/b8/224/cpu/fp32/eager/nchw/t2"
    assert [pair["verdict"] for pair in ranking["pairs"]] == ["slower"]
    assert ranking["cases"][0]["key"].startswith("resnet18/")
    rows = list(csv.DictReader(io.StringIO(rank_text(rankings(runs=("run-b", "run-c")), "csv"))))
    assert [(row["run"], row["rank"], row["model"]) for row in rows] == [
        (run, number, model) for run in ("run-b", "run-c") for number, model in (("1", "resnet18"), ("2", "resnet50"))
    ]
    assert float(rows[0]["relative_low"]) < float(rows[0]["relative"]) < float(rows[0]["relative_high"])


def test_several_runs_are_named_and_markdown_is_escaped(rankings):
    text = rank_text(rankings(runs=("run-a", "run-b"), model="a|b"), "markdown")
    assert text.count("run run-a, ") == text.count("run run-b, ") == 1
    assert "a\\|b" in text
    assert text.count("| rank |") == 2


def test_an_unknown_format_is_refused(rankings):
    with pytest.raises(InputError, match="unknown format"):
        rank_text(rankings(), "yaml")
