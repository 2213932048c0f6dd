import pytest
from msgspec import structs

from reports.page.machine import details, facts
from results.storage import reader


@pytest.fixture
def make_file(make_run, make_record, tmp_path):
    def make(*budgets, **environment):
        run = make_run()
        return reader.RunFile(
            path=tmp_path / "run.jsonl",
            run=structs.replace(run, environment=structs.replace(run.environment, **environment)),
            statics=(),
            records=tuple(make_record(budget_s=budget) for budget in budgets),
            complete=True,
            problems=(),
        )

    return make


def test_sampling_tells_of_processes_that_were_given_less(make_file):
    usual = "1 process a case, until the 95 % interval is within ±1 % or 5 s are spent"
    assert facts(make_file(5.0, 5.0))["Sampling"] == usual
    shorter = facts(make_file(5.0, 1.5, 0.75, None))["Sampling"]
    assert shorter.startswith(usual)
    assert "2 of 3 processes" in shorter.removeprefix(usual)
    assert "0.75 s" in shorter


def test_the_start_is_in_words(make_file):
    assert facts(make_file())["Started"] == "2026-11-22 00:38:12 UTC"


def test_every_reason_is_shown(make_file):
    nulls = {
        "governor": "not readable",
        "accelerators": "torch finds none",
        "torch_build.hip": "torch was built without it",
    }
    shown = dict(details(make_file(nulls=nulls).run))
    assert shown["governor"] == "– (not readable)"
    assert shown["accelerators"] == "none (torch finds none)"
    assert shown["torch build hip"] == "– (torch was built without it)"
    assert shown["variables"] == "none"
