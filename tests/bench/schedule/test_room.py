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


def on_host(size):
    return Footprint(host_bytes=size, device_bytes=None, device_free_bytes=None)


def on_device(size, free):
    return Footprint(host_bytes=1, device_bytes=size, device_free_bytes=free)


def test_the_first_worker_always_fits(make_case, host):
    room = Room(1)
    room.learn(make_case(), on_host(200 * GIB))
    host["bytes"] = 0
    assert room.holds(make_case(), live=0, compiles=True)
    assert not room.holds(make_case(), live=1, compiles=False)


@pytest.mark.parametrize("most", [1, 2, 5])
def test_no_more_live_than_the_setting_says(make_case, most):
    room = Room(most)
    assert [room.holds(make_case(), live=live, compiles=False) for live in range(most + 1)] == [True] * most + [False]


def test_without_a_setting_memory_alone_decides(make_case):
    assert Room(None).holds(make_case(), live=10_000, compiles=False)


@pytest.mark.parametrize(("taken", "fits"), [(59 * GIB, True), (61 * GIB, False)])
def test_a_worker_needs_headroom_in_a_share_of_the_free_memory(make_case, taken, fits):
    room = Room(None)
    room.learn(make_case(), on_host(taken))
    assert room.holds(make_case(), live=1, compiles=False) == fits


def test_an_unknown_case_is_taken_for_the_largest(make_case):
    small, large, unknown = make_case(), make_case(batch_size=64), make_case(batch_size=1)
    room = Room(None)
    room.learn(small, on_host(GIB))
    assert room.holds(unknown, live=1, compiles=False)
    room.learn(large, on_host(61 * GIB))
    assert not room.holds(unknown, live=1, compiles=False)
    assert room.holds(small, live=1, compiles=False)


def test_a_compiler_needs_memory_of_its_own(make_case, host):
    room = Room(None)
    room.learn(make_case(), on_host(GIB))
    host["bytes"] = 3 * GIB
    assert room.holds(make_case(), live=1, compiles=False)
    assert not room.holds(make_case(), live=1, compiles=True)


def test_the_memory_of_a_device_counts_for_its_cases_with_a_context(make_case):
    case, other = make_case(device="cuda:0"), make_case(device="cuda:1")
    room = Room(None)
    room.learn(case, on_device(2 * GIB, 5 * GIB))  # 1.5 x 2 + 1 of 0.9 x 5
    assert room.holds(case, live=1, compiles=False)
    room.learn(case, on_device(2 * GIB, 4 * GIB))
    assert not room.holds(case, live=1, compiles=False)
    assert room.holds(other, live=1, compiles=False)


def test_a_device_that_does_not_say_what_is_free_sets_no_limit(make_case):
    case = make_case(device="cuda:0")
    room = Room(None)
    room.learn(case, on_device(2 * GIB, None))
    assert room.holds(case, live=1, compiles=False)


def test_a_device_that_admits_a_single_process_has_room_for_a_single_worker(make_case):
    case, other = make_case(device="cuda:0"), make_case(device="cuda:1")
    room = Room(None)
    room.restrict("cuda:0")
    assert room.holds(case, live=0, compiles=False)
    assert not room.holds(case, live=1, compiles=False)
    assert room.holds(other, live=1, compiles=False)


def test_the_bytes_of_a_case_are_those_of_host_and_device(make_case):
    room = Room(None)
    assert room.bytes_of(make_case()) == 0
    room.learn(make_case(), Footprint(host_bytes=3, device_bytes=4, device_free_bytes=10))
    assert room.bytes_of(make_case()) == 7
