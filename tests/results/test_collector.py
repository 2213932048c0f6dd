import gc

import pytest

from results.collector import paused


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
