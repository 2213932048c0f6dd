import datetime

from bench.machine.clock import now


def test_now_is_utc_to_the_second_or_finer():
    assert now().endswith("Z")
    assert len(now()) == len("2026-11-22T00:38:12Z")
    moment = datetime.datetime.fromisoformat(now("milliseconds"))
    assert moment.utcoffset() == datetime.timedelta(0)
    assert abs(datetime.datetime.now(datetime.UTC) - moment) < datetime.timedelta(minutes=1)
