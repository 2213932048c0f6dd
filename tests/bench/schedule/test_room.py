import pytest

from bench.machine import memory
from bench.process.messages import Footprint
from bench.schedule.room import Room

GIB = 1 << 30


@pytest.fixture(autouse=True)
def host(monkeypatch):
    """Let this much host memory be free, in bytes."""
    free = {"bytes": 100 * GIB}
    monkeypatch.setattr(memory, "available", lambda: free["bytes"])
    return free


def holds(room, case, *, live, compiles):
    """Return whether a worker is admitted that is prepared at once."""
    fits = room.admit(case, live=live, compiles=compiles)
    room.release(case)
    return fits


def on_host(size):
    return Footprint(host_bytes=size, device_bytes=None, device_free_bytes=None)


def on_device(size, free):
    return Footprint(host_bytes=1, device_bytes=size, device_free_bytes=free)


def test_the_first_worker_always_fits(make_case, host):
    room = Room(1)
    room.learn(make_case(), on_host(200 * GIB))
    host["bytes"] = 0
    assert holds(room, make_case(), live=0, compiles=True)
    assert not holds(room, make_case(), live=1, compiles=False)


@pytest.mark.parametrize("most", [1, 2, 5])
def test_no_more_live_than_the_setting_says(make_case, most):
    room = Room(most)
    assert [holds(room, make_case(), live=live, compiles=False) for live in range(most + 1)] == [True] * most + [False]


def test_without_a_setting_memory_alone_decides(make_case):
    assert holds(Room(None), make_case(), live=10_000, compiles=False)


@pytest.mark.parametrize(("taken", "fits"), [(59 * GIB, True), (61 * GIB, False)])
def test_a_worker_needs_headroom_in_a_share_of_the_free_memory(make_case, taken, fits):
    room = Room(None)
    room.learn(make_case(), on_host(taken))
    assert holds(room, make_case(), live=1, compiles=False) == fits


def test_an_unknown_case_is_taken_for_the_largest(make_case):
    small, large, unknown = make_case(), make_case(batch_size=64), make_case(batch_size=1)
    room = Room(None)
    room.learn(small, on_host(GIB))
    assert holds(room, unknown, live=1, compiles=False)
    room.learn(large, on_host(61 * GIB))
    assert not holds(room, unknown, live=1, compiles=False)
    assert holds(room, small, live=1, compiles=False)


def test_a_compiler_needs_memory_of_its_own(make_case, host):
    room = Room(None)
    room.learn(make_case(), on_host(GIB))
    host["bytes"] = 3 * GIB
    assert holds(room, make_case(), live=1, compiles=False)
    assert not holds(room, make_case(), live=1, compiles=True)


def test_the_memory_of_a_device_counts_for_its_cases_with_a_context(make_case):
    case, other = make_case(device="cuda:0"), make_case(device="cuda:1")
    room = Room(None)
    room.learn(case, on_device(2 * GIB, 5 * GIB))  # 1.5 x 2 + 1 of 0.9 x 5
    assert holds(room, case, live=1, compiles=False)
    room.learn(case, on_device(2 * GIB, 4 * GIB))
    assert not holds(room, case, live=1, compiles=False)
    assert holds(room, other, live=1, compiles=False)


def test_a_device_that_does_not_say_what_is_free_sets_no_limit(make_case):
    case = make_case(device="cuda:0")
    room = Room(None)
    room.learn(case, on_device(2 * GIB, None))
    assert holds(room, case, live=1, compiles=False)


def test_a_device_that_admits_a_single_process_has_room_for_a_single_worker(make_case):
    case, other = make_case(device="cuda:0"), make_case(device="cuda:1")
    room = Room(None)
    room.restrict("cuda:0")
    assert holds(room, case, live=0, compiles=False)
    assert not holds(room, case, live=1, compiles=False)
    assert holds(room, other, live=1, compiles=False)


def test_the_bytes_of_a_case_are_those_of_host_and_device(make_case):
    room = Room(None)
    assert room.bytes_of(make_case()) == 0
    room.learn(make_case(), Footprint(host_bytes=3, device_bytes=4, device_free_bytes=10))
    assert room.bytes_of(make_case()) == 7


def test_what_a_worker_in_preparation_will_take_is_not_given_to_another_card(make_case, host):
    cases = [make_case(device=f"cuda:{index}", batch_size=size) for size in (1, 2) for index in (0, 1)]
    room = Room(None)
    for case in cases:
        room.learn(case, on_host(GIB))
    host["bytes"] = 4 * GIB  # 0.9 x 4 holds 1.5 x 1 twice, but not three times
    assert [room.admit(case, live=1, compiles=False) for case in cases[:3]] == [True, True, False]
    room.release(cases[0])
    assert room.admit(cases[2], live=1, compiles=False)


def test_a_refused_worker_takes_nothing_and_the_first_of_a_card_counts_for_the_others(make_case, host):
    case, other = make_case(device="cuda:0"), make_case(device="cuda:1")
    room = Room(None)
    room.learn(case, on_host(GIB))
    host["bytes"] = GIB
    assert not room.admit(case, live=1, compiles=False)
    host["bytes"] = 2 * GIB
    assert room.admit(case, live=0, compiles=True)
    assert not room.admit(other, live=1, compiles=False)
    room.release(case)
    assert room.admit(other, live=1, compiles=False)
