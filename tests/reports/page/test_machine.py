import dataclasses

import pytest
from msgspec import structs

from reports.page.machine import details, facts, hardware, sides, title
from results.schema.lines.run import Accelerator
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


def test_sampling_says_that_cards_shared_the_host(make_file):
    file = make_file(5.0, 5.0)
    settings = structs.replace(file.run.settings, cards="at-once")
    at_once = dataclasses.replace(file, run=structs.replace(file.run, settings=settings))
    assert facts(at_once)["Sampling"] == facts(file)["Sampling"]  # a single device shares with nobody
    devices = enumerate(file.records)
    cards = [structs.replace(record, case=structs.replace(record.case, device=f"cuda:{i}")) for i, record in devices]
    assert facts(dataclasses.replace(file, records=cards))["Sampling"] == facts(file)["Sampling"]
    assert "all cards at once" in facts(dataclasses.replace(at_once, records=cards))["Sampling"]


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


def named(make_file, *machines):
    """Files of a run each: of a CPU of that name, unnamed for None."""
    files = [make_file(cpu=name) for name in machines]
    return [
        dataclasses.replace(
            file, run=structs.replace(file.run, id=f"run{index}", plan=tuple(record.case for record in file.records))
        )
        for index, file in enumerate(files)
    ]


@pytest.mark.parametrize(
    ("machines", "said"),
    [
        ("A", "A"),
        ("AB", "A and B"),
        ("ABA", "A and B"),
        ("ABC", "A, B and C"),
        ("ABCD", "A, B, C and 1 more"),
        ("ABCDEFG", "A, B, C and 4 more"),
        ((None, "B"), "B and unnamed machine of run0"),
        ((None, "A", "B", "C"), "A, B, C and 1 more"),
    ],
)
def test_the_title_names_at_most_three_machines(make_file, machines, said):
    assert title(named(make_file, *machines)) == f"ResNets on {said}"


def test_machines_that_no_source_names_are_told_apart(make_file):
    files = named(make_file, None, None, "A")
    names = {"run0": "unnamed machine of run0", "run1": "unnamed machine of run1", "run2": "A"}
    assert sides(files) == {(run, "cpu"): name for run, name in names.items()}


def test_the_cpu_beside_an_unnamed_accelerator_is_not_its_name(make_file, make_case):
    (file,) = named(make_file, "A")
    run = structs.replace(file.run, plan=(make_case(device="cuda:0"),))
    assert hardware(run, "cuda:0") == "unnamed cuda:0 of run0"
    assert hardware(run, "cpu") == "A"


def cards(make_file, make_case, *runs):
    """Files of a run each, with a case on every device; `runs` are the names of its cards by device."""
    files = []
    for index, names in enumerate(runs):
        accelerators = tuple(Accelerator(device=device, name=name, memory_bytes=1) for device, name in names.items())
        file = make_file(accelerators=accelerators)
        plan = tuple(make_case(device=device) for device in names)
        files.append(dataclasses.replace(file, run=structs.replace(file.run, id=f"run{index}", plan=plan)))
    return files


def test_cards_of_a_name_in_a_machine_are_told_apart_by_their_device(make_file, make_case):
    two = {"cuda:0": "NVIDIA H100", "cuda:1": "NVIDIA H100"}
    mixed = {"cuda:0": "NVIDIA A100", "cuda:1": "NVIDIA L4"}
    files = cards(make_file, make_case, two, mixed, {"cuda:0": "NVIDIA H100"})
    assert sides(files) == {
        ("run0", "cuda:0"): "NVIDIA H100 · cuda:0",
        ("run0", "cuda:1"): "NVIDIA H100 · cuda:1",
        ("run1", "cuda:0"): "NVIDIA A100",
        ("run1", "cuda:1"): "NVIDIA L4",
        ("run2", "cuda:0"): "NVIDIA H100 · cuda:0",
    }
    assert title(files[:2]) == "ResNets on 2 × NVIDIA H100, NVIDIA A100 and NVIDIA L4"
    assert sides(files[2:]) == {("run2", "cuda:0"): "NVIDIA H100"}
