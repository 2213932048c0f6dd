import pytest
from msgspec import structs

from results.analysis import differences
from results.schema.lines.run import Source
from results.storage.reader import load


@pytest.fixture
def run_of(tmp_path, make_record, make_run, write_run):
    """The records of a run, whose fields are given."""
    return lambda name, **fields: load(write_run(tmp_path, [make_record()], run=make_run(run_id=name, **fields)))


def test_settings_that_differ_are_named_with_both_values(run_of, make_run):
    usual = make_run().settings
    other = run_of("b", settings=structs.replace(usual, target=0.05))
    said = differences.settings(run_of("a"), other)
    assert "target" in said
    assert said.index("0.01 in BASE") < said.index("0.05 in NEW")
    assert differences.settings(other, other) is None


def test_an_imported_run_does_not_state_its_settings(run_of):
    assert differences.settings(run_of("a"), run_of("b", settings=None)).startswith("unknown settings: NEW")


def test_machines_are_alike_where_all_that_counts_is_known_and_the_same(make_run):
    host = make_run().environment
    slightly_less = structs.replace(host, memory_bytes=round(host.memory_bytes * 0.995))
    assert differences.alike([host, slightly_less])
    for fields in ({"cpu": "Other"}, {"usable_cores": 1}, {"memory_bytes": None}, {"memory_bytes": 2**30}):
        assert not differences.alike([host, structs.replace(host, **fields)])


def test_a_field_of_the_environment_that_differs_is_a_change(run_of, make_run):
    other = structs.replace(make_run().environment, torch="2.15.0", torch_build={"OpenMP": "202011"})
    changes = differences.environment(run_of("a"), run_of("b", environment=other))
    assert {change.what: (change.base, change.new) for change in changes} == {
        "torch": ("2.14.1", "2.15.0"),
        "torch_build.OpenMP": ("201511", "202011"),
    }


def test_the_commit_of_imported_code_is_a_change(run_of):
    source = Source(format="pytest-benchmark", file="x.json", sha256="0" * 64, commit="a" * 40, branch="main")
    base, new = run_of("a", source=source), run_of("b", source=structs.replace(source, commit="b" * 40, dirty=True))
    (change,) = differences.environment(base, new)
    assert (change.what, change.base, change.new) == ("commit", f"{'a' * 12} on main", f"{'b' * 12}-dirty on main")
    assert differences.environment(base, base) == ()


def test_cases_that_moved_to_other_threads_or_devices_are_named(make_case):
    (line,) = differences.moved([make_case()], [make_case(threads=4)])
    assert "cpu with 2 threads in BASE, cpu with 4 in NEW" in line
    assert differences.moved([make_case()], [make_case(batch_size=1, threads=4)]) == []
