import threading
import time

import pytest

from bench.process.threads import merged

WAIT_S = 30.0


def nothing():
    """Stop nothing: the threads end by themselves."""


@pytest.fixture(autouse=True)
def no_thread_survives():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def numbered(name):
    for number in range(100):
        yield name, number


def test_all_items_come_in_the_order_of_their_generator():
    items = list(merged([numbered(name) for name in "abc"], stop=nothing))
    assert len(items) == 300
    for name in "abc":
        assert [number for other, number in items if other == name] == list(range(100))


def test_no_generators_give_no_items():
    assert list(merged([], stop=nothing)) == []


def test_generators_run_at_the_same_time():
    together = threading.Barrier(3, timeout=WAIT_S)

    def meet(name):
        together.wait()  # in turn, the first would wait in vain
        yield name

    assert sorted(merged([meet(name) for name in "abc"], stop=nothing)) == ["a", "b", "c"]


def test_an_item_comes_while_others_are_still_waited_for():
    taken = threading.Event()

    def waiting():
        yield "first"
        assert taken.wait(WAIT_S)
        yield "second"

    items = []
    for item in merged([waiting()], stop=nothing):
        items.append(item)
        taken.set()
    assert items == ["first", "second"]


def endless(closed, gate):
    try:
        while True:
            yield "step"
            gate.wait(WAIT_S)
    finally:
        closed.append(threading.current_thread())


def failing(error):
    yield "step"
    raise error


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_an_error_is_raised_in_the_caller_and_ends_the_others(error):
    closed, gate = [], threading.Event()
    with pytest.raises(type(error)) as raised:
        list(merged([endless(closed, gate), failing(error)], stop=gate.set))
    assert raised.value is error
    assert len(closed) == 1
    assert closed[0] is not threading.current_thread()


def test_closing_stops_every_generator_and_waits_for_it():
    closed, gate = [], threading.Event()
    items = merged([endless(closed, gate), endless(closed, gate)], stop=gate.set)
    assert next(items) == "step"
    began = time.monotonic()
    items.close()
    assert time.monotonic() - began < WAIT_S / 2
    assert len(closed) == 2


def test_an_error_of_a_generator_that_is_stopped_is_its_end():
    stopped, ended = threading.Event(), []

    def breaking():
        yield "step"
        assert stopped.wait(WAIT_S)
        ended.append("broken")
        raise ValueError("its worker was killed")

    items = merged([breaking()], stop=stopped.set)
    next(items)
    items.close()
    assert ended == ["broken"]


def test_what_begins_to_wait_while_it_is_stopped_is_stopped_again():
    gates = [threading.Event(), threading.Event()]
    waiting = []

    def twice():
        try:
            yield "step"
            waiting.append(gates[0])
            gates[0].wait(WAIT_S)
        finally:
            waiting.append(gates[1])
            gates[1].wait(WAIT_S)

    def stop():
        for gate in waiting:
            gate.set()

    items = merged([twice()], stop=stop)
    next(items)
    began = time.monotonic()
    items.close()
    assert time.monotonic() - began < WAIT_S / 2
    assert gates[1].is_set()
