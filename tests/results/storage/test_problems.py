from pathlib import Path

import pytest
from msgspec import structs

from results.schema.lines.run import Accelerator, End, Resumed
from results.storage.problems import Order, Problems, changes, ending
from results.storage.trainings import Trainings


@pytest.fixture
def problems():
    return Problems(Path("a.jsonl"))


@pytest.fixture
def environment(make_run):
    return make_run().environment


@pytest.fixture
def line(make_run):
    """A line of a run that may stand anywhere."""
    return Resumed(started="2026-11-22T00:38:12Z", environment=make_run().environment)


def test_a_problem_has_its_file_and_line_and_those_of_the_file_come_last(problems):
    problems.note(7, "first", "second")
    assert problems.lines("cut off") == ("a.jsonl line 7: first", "a.jsonl line 7: second", "a.jsonl: cut off")


def test_only_damage_forbids_to_resume_and_the_first_is_named(problems):
    problems.note(2, "harmless")
    problems.unreadable(3, ValueError("half a line"), torn=True)
    assert problems.damaged is None
    problems.unreadable(4, ValueError("no JSON"), torn=False)
    problems.add(5, "later")
    assert problems.damaged == "a.jsonl line 4: no JSON"


def test_of_very_many_problems_the_others_are_counted(problems):
    for position in range(1, 1251):
        problems.add(position, "damaged")
    *listed, more = problems.lines()
    assert listed == [f"a.jsonl line {position}: damaged" for position in range(1, len(listed) + 1)]
    assert more.startswith(f"a.jsonl: {1250 - len(listed):,} more problems")


def test_lines_in_their_order_are_new_and_no_problem(line):
    order = Order()
    for number in (2, 3, 4):
        assert order.misplaced(number, line) is None
        assert order.take(number, line)
    assert order.last == 4


def test_a_repeated_line_is_not_taken_twice(line):
    order = Order()
    order.take(2, line)
    assert "repeats line 2" in order.misplaced(2, line)
    assert not order.take(2, line)


def test_a_line_that_comes_late_is_taken_and_named(line):
    order = Order()
    order.take(4, line)
    assert "was line 3" in order.misplaced(3, line)
    assert order.take(3, line)
    assert order.last == 4


@pytest.mark.parametrize(("skipped", "missing"), [(0, "3 lines are missing"), (2, "1 line is missing"), (3, None)])
def test_lines_that_could_not_be_read_are_not_missing(line, skipped, missing):
    order = Order()
    for _ in range(skipped):
        order.skip()
    problem = order.misplaced(5, line)
    assert (problem and problem.partition(" before")[0]) == missing


def test_unreadable_lines_before_a_sound_one_are_not_counted_again(line):
    order = Order()
    order.skip()
    order.take(3, line)
    assert "1 line is missing" in order.misplaced(5, line)


def test_a_second_header_and_a_line_after_the_end_do_not_belong(line, make_run):
    order = Order()
    assert "second header" in order.misplaced(2, make_run())
    order.take(2, End(status="complete", records=0))
    assert "after the end" in order.misplaced(3, line)


def test_an_end_counts_until_the_run_goes_on(line):
    order = Order()
    end = End(status="interrupted", records=1)
    order.take(2, end)
    assert order.end == end
    order.take(3, line)
    assert order.end is None


def test_the_same_machine_after_a_break_is_no_change(environment):
    assert changes(environment, environment) == []


def test_what_changed_over_a_break_is_named_with_both_values(environment):
    card = Accelerator(device="cuda:0", name="H100", memory_bytes=1)
    after = structs.replace(environment, torch="3.0", cgroup_cpus=1.0, accelerators=(card,))
    assert [change.partition(": ")[2] for change in changes(environment, after)] == [
        "cgroup_cpus 2.0 became 1.0",
        "torch 2.14.1 became 3.0",
        "accelerators [] became ['H100']",
    ]


def test_what_makes_no_other_machine_is_no_change(environment):
    assert changes(environment, structs.replace(environment, variables={"LANG": "C"}, governor="performance")) == []


@pytest.fixture
def run(make_run, make_case):
    run = make_run(plan=[make_case(), make_case(batch_size=1)])
    return structs.replace(run, settings=structs.replace(run.settings, replicates=2))


def test_a_complete_run_ends_without_a_problem(run, make_record):
    records = [make_record(replicate=index) for index in range(4)]
    assert ending(run, records, End(status="complete", records=4), Trainings()) == []


def test_a_run_that_was_cut_off_or_interrupted_says_how_far_it_came(run, make_record):
    for end, what in ((None, "cut off"), (End(status="interrupted", records=1), "interrupted")):
        (problem,) = ending(run, [make_record()], end, Trainings())
        assert what in problem
        assert "1 of 4 planned records" in problem


def test_records_that_the_end_counts_and_nobody_could_read_are_named(run, make_record):
    (problem,) = ending(run, [make_record()], End(status="complete", records=4), Trainings())
    assert "counts 4 records, 1 could be read" in problem


def test_an_imported_run_planned_each_case_once(run, make_record):
    (problem,) = ending(structs.replace(run, settings=None), [make_record()], None, Trainings())
    assert "1 of 2 planned records" in problem
