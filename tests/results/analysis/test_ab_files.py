import pytest
from msgspec import structs

from results.analysis.ab_files import compare_pairs
from results.errors import InputError
from results.schema.lines.run import Arm
from results.storage.reader import load


@pytest.fixture
def arm(tmp_path, make_record, make_case, make_run, make_static, write_run):
    """Write one arm of an A/B comparison of ten pairs, and give its path."""

    def make(name, pair="p", factor=1.0):
        records = []
        for index in range(10):
            record = make_record(replicate=index, latency_s=0.05 * factor, noise=0.001)
            beside = tuple(0.05 * (1 + 1e-4 * index) for _ in record.samples.wall_s) if name == "b" else ()
            records.append(structs.replace(record, samples=structs.replace(record.samples, arm_s=beside)))
        run = make_run(plan=[make_case()], run_id=f"{pair}-{name}", arm=Arm(name=name, pair=pair, margin=0.02))
        return write_run(tmp_path, records, [make_static()], run=run)

    return make


def test_each_pair_is_judged(arm):
    paths = [arm("a"), arm("b", factor=1.3), arm("a", "q"), arm("b", "q")]
    found = compare_pairs(load(*paths))
    assert [(one.pair, one.outcome) for one in found] == [("p", "regression"), ("q", "pass")]


def test_the_order_of_the_files_does_not_matter(arm):
    assert [one.pair for one in compare_pairs(load(arm("b"), arm("a")))] == ["p"]


@pytest.mark.parametrize("name", ["a", "b"])
def test_an_arm_alone_is_bad_input(arm, name):
    with pytest.raises(InputError, match=rf"other arm that belongs to .*p-{name}\.jsonl is not there"):
        compare_pairs(load(arm(name)))


def test_another_run_is_bad_input(arm, tmp_path, make_record, write_run):
    other = write_run(tmp_path / "other", [make_record()])
    with pytest.raises(InputError, match="is no arm of an A/B comparison"):
        compare_pairs(load(arm("a"), arm("b"), other))


def test_the_same_arm_twice_is_bad_input(arm, tmp_path, make_record, make_case, make_run, write_run):
    run = make_run(plan=[make_case()], run_id="again", arm=Arm(name="a", pair="p", margin=0.02))
    again = write_run(tmp_path / "again", [make_record()], run=run)
    with pytest.raises(InputError, match="are the same arm"):
        compare_pairs(load(arm("a"), arm("b"), again))
