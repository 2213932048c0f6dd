import gc

import pytest

from results.storage.collector import paused


def test_the_collector_rests_and_goes_on_whatever_happens():
    def fail():
        with paused():
            assert not gc.isenabled()
            raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        fail()
    assert gc.isenabled()


def test_who_has_stopped_the_collector_finds_it_stopped():
    gc.disable()
    try:
        with paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_was_made_is_old_and_not_frozen():
    with paused():
        made = [[] for _ in range(100_000)]
    assert gc.get_freeze_count() == 0
    assert len(gc.get_objects(0)) + len(gc.get_objects(1)) < len(made)
    assert any(one is made for one in gc.get_objects(2))


def test_what_a_program_has_frozen_stays_frozen():
    gc.freeze()
    try:
        with paused():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
