import dataclasses
from pathlib import Path

import pytest
from msgspec import structs

from results.analysis.machines import described, machine_text, machines
from results.schema.lines.run import UNKNOWN_ACCELERATOR, Accelerator, Source
from results.storage.reader import Records, RunFile, load


@pytest.fixture
def runs(tmp_path, make_record, make_run, write_run):
    """The records of runs, one for each name; what differs of its machine is in `machine`."""

    def make(*names, **machine):
        paths = []
        for name in names:
            run = make_run(run_id=name)
            run = structs.replace(run, environment=structs.replace(run.environment, **machine))
            paths.append(write_run(tmp_path, [make_record()], run=run))
        return load(*paths).files

    return make


def _ids(records):
    return [file.run.id for file in records.files]


def test_each_machine_has_its_runs_of_both_sides(runs):
    base = Records((*runs("a1", "a2"), *runs("a3", cpu="Other")))
    new = Records((*runs("b3", cpu="Other"), *runs("b1")))
    found = machines(base, new)
    assert [(_ids(one.base), _ids(one.new)) for one in found] == [(["a1", "a2"], ["b1"]), (["a3"], ["b3"])]
    assert [one.name for one in found] == ["AMD EPYC 9B14 2 cores 16 GiB", "Other 2 cores 16 GiB"]


@pytest.mark.parametrize(
    "machine",
    [
        {"usable_cores": 4},
        {"cgroup_cpus": 1.0},
        {"memory_bytes": 2**30},
        {"accelerators": (Accelerator(device="cuda:0", name="GPU", memory_bytes=2**30),)},
    ],
)
def test_what_differs_is_another_machine(runs, machine):
    new = Records((*runs("b1"), *runs("b2", **machine)))
    assert [(_ids(one.base), _ids(one.new)) for one in machines(Records(runs("a")), new)] == [
        (["a"], ["b1"]),
        ([], ["b2"]),
    ]


def test_cards_of_a_name_are_counted(make_run):
    cards = [("cuda:0", "NVIDIA H100"), ("cuda:1", "NVIDIA H100"), ("cuda:2", "NVIDIA L4")]
    accelerators = tuple(Accelerator(device=device, name=name, memory_bytes=None) for device, name in cards)
    machine = structs.replace(make_run().environment, accelerators=accelerators)
    assert machine_text(machine) == "2 × NVIDIA H100 + NVIDIA L4 2 cores 16 GiB"


def test_what_is_left_over_on_both_sides_stands_together(runs):
    base, new = Records(runs("a", cpu="Old")), Records(runs("b", cpu="New"))
    (one,) = machines(base, new)
    assert (_ids(one.base), _ids(one.new)) == (["a"], ["b"])
    assert one.name == "Old 2 cores 16 GiB against New 2 cores 16 GiB"


def test_machines_of_which_nothing_is_known_are_never_the_same(runs):
    unknown = {"cpu": None, "usable_cores": None, "memory_bytes": None}
    base, new = Records(runs("a", **unknown)), Records((*runs("b1", **unknown), *runs("b2", **unknown)))
    found = machines(base, new)
    assert {one.name for one in found} == {"unknown machine"}
    assert [(len(one.base.files), len(one.new.files)) for one in found] == [(1, 0), (0, 1), (0, 1)]


def test_imported_runs_are_of_one_machine_where_their_sources_name_it(runs):
    def imported(name, cpu):
        (file,) = runs(name, cpu=cpu, memory_bytes=None)
        source = Source(format="csv", file="x.csv", sha256="0" * 64)
        return dataclasses.replace(file, run=structs.replace(file.run, source=source))

    files = tuple(
        imported(name, cpu) for name, cpu in (("a", "x86"), ("b", "x86"), ("c", "arm"), ("d", None), ("e", None))
    )
    found = machines(Records(files), Records(()))
    assert [[file.run.id for file in one.base.files] for one in found] == [["a", "b"], ["c"], ["d"], ["e"]]


def test_accelerators_without_a_name_are_never_the_same(make_run):
    def imported(name, card):
        source = Source(format="csv", file="x.csv", sha256="0" * 64)
        run = make_run(run_id=name, accelerator=card, source=source, settings=None)
        path = Path(f"{name}.jsonl")
        return RunFile(path=path, run=run, statics=(), records=(), complete=True, problems=())

    cards = {"a": "H100", "b": "H100", "c": UNKNOWN_ACCELERATOR, "d": UNKNOWN_ACCELERATOR}
    grouped = machines(Records(tuple(imported(*card) for card in cards.items())), Records(()))
    assert [[file.run.id for file in machine.base.files] for machine in grouped] == [["a", "b"], ["c"], ["d"]]


def test_of_several_new_machines_nobody_knows_which_took_whose_place(runs):
    base = Records((*runs("a1", cpu="x86"), *runs("a2", cpu="arm")))
    new = Records((*runs("b1", cpu="x86 of next year"), *runs("b2", cpu="arm of next year")))
    assert all(not one.base.files or not one.new.files for one in machines(base, new))
    (one,) = machines(Records(runs("c", cpu="x86")), Records(runs("d", cpu="x86 of next year")))
    assert one.base.files
    assert one.new.files


def test_a_run_is_described(runs):
    (line,) = described(Records(runs("a")))
    assert line == (
        "run a of 2026-11-22T00:38:12Z, AMD EPYC 9B14 2 cores 16 GiB, torch 2.14.1, resnet-bench 0.1.0 "
        "(no commit known), replicates 1, target ±1 %, budget 5 s"
    )


def test_an_imported_run_says_so(tmp_path, make_run, write_run):
    source = Source(format="timm", file="table.csv", sha256="0" * 64)
    run = make_run(run_id="i", settings=None, started=None, source=source)
    (line,) = described(load(write_run(tmp_path, run=run)))
    assert line.startswith("run i of an unknown date, ")
    assert line.endswith("imported from table.csv")
    run = make_run(run_id="j", settings=None, started=None, source=structs.replace(source, commit="c" * 40))
    assert described(load(write_run(tmp_path, run=run)))[0].endswith("imported from table.csv (commit cccccccccccc)")
