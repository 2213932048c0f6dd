import io
import re
import threading
from pathlib import Path

import pytest

from bench.schedule.progress import (
    REFRESH_S,
    Note,
    PlainDisplay,
    Planned,
    Progress,
    TerminalDisplay,
    counted,
    display,
    duration,
    outcome,
)

HOSTILE = "\x1b[2J\u202ebad\nline"


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")


def state(done=0, **fields):
    usual = {"phase": "measuring", "case": "resnet50/inference", "total": 4, "seconds_left": 65.0}
    return Progress(**{**usual, "done": done, **fields})


def test_plain_lines_are_one_a_record(make_run, make_case, make_record):
    stream = io.StringIO()
    cases = [make_case(batch_size=size) for size in (1, 8)]
    shown = PlainDisplay(stream)
    shown.show(Planned(run=make_run(plan=cases), path=Path("runs/x.jsonl")))
    for done, case in enumerate(cases):
        shown.show(state(done))
        shown.show(make_record(case, latency_s=0.4, noise=1e-9))
    shown.close()
    first, second, third = stream.getvalue().splitlines()
    assert first == "suite default: 2 to measure, into runs/x.jsonl"
    assert second.startswith("[1/2] resnet50/inference/b1/224/cpu/fp32/eager/nchw/t2  400.00 ms ± <0.01 %")
    assert third.startswith("[2/2] resnet50/inference/b8/")


def test_a_resumed_run_does_not_count_from_nothing(make_run, make_case, make_record):
    stream = io.StringIO()
    shown = PlainDisplay(stream)
    shown.show(Planned(run=make_run(plan=[make_case(batch_size=size) for size in (1, 2, 4, 8)]), path=Path("x")))
    shown.show(state(phase="static cost", done=9, total=9))
    shown.show(state(done=3))
    shown.show(make_record())
    assert stream.getvalue().splitlines()[-1].startswith("[4/4] ")


def test_a_live_line_tells_case_step_and_time_left(make_run, make_case, make_record):
    before = threading.active_count()
    stream = Terminal()
    shown = TerminalDisplay(stream)
    shown.show(Planned(run=make_run(plan=[make_case()]), path=Path("runs/x.jsonl")))
    shown.show(state(done=1, steps=17))
    text = stream.getvalue()
    assert "measuring" in text
    assert "1/4" in text
    assert "1 min 05 s left" in text
    assert "resnet50/inference  step 17" in text
    assert threading.active_count() == before  # nothing draws while a worker is timed
    shown.show(make_record())
    assert "[2/1] resnet50/inference/b8" in stream.getvalue()
    shown.close()
    shown.close()


def test_the_live_line_is_drawn_at_most_twice_a_second(make_run, make_case):
    stream, clock = Terminal(), Clock()
    shown = TerminalDisplay(stream, clock)
    shown.show(Planned(run=make_run(plan=[make_case()]), path=Path("x")))
    drawn = []
    for _ in range(1000):
        before = len(stream.getvalue())
        shown.show(state())
        drawn.append(len(stream.getvalue()) > before)
        clock.now += REFRESH_S / 100
    shown.close()
    assert 9 <= sum(drawn) <= 10


@pytest.mark.parametrize(("kind", "stream"), [(PlainDisplay, io.StringIO()), (TerminalDisplay, Terminal())])
def test_a_display_without_a_plan_closes_and_shows_no_case(kind, stream):
    kind(stream).close()
    assert not re.search(r"[a-z0-9]+/", stream.getvalue())


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_no_name_or_cause_steers_the_terminal(stream, make_run, make_case, make_record):
    with display(stream) as show:
        show(Planned(run=make_run(plan=[make_case()], suite=HOSTILE), path=Path(HOSTILE)))
        show(state(case=HOSTILE))
        show(Note(HOSTILE))
        show(make_record(make_case(model=HOSTILE), status="crash", cause=HOSTILE))
    assert "\x1b[2J" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()
    assert "bad\nline" not in stream.getvalue()
    assert r"\x1b[2J\u202ebad\nline" in stream.getvalue()


def test_the_live_line_is_taken_away_when_the_run_fails(make_run, make_case):
    stream = Terminal()

    def fail():
        with display(stream) as show:
            show(Planned(run=make_run(plan=[make_case()]), path=Path("x")))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert "\x1b[?25h" in stream.getvalue()  # the cursor is back


def test_a_static_cost_has_no_line(make_static):
    stream = io.StringIO()
    PlainDisplay(stream).show(make_static())
    assert not stream.getvalue()


def test_an_outcome_is_the_latency_with_its_interval_or_why_there_is_none(make_record):
    assert outcome(make_record(latency_s=0.4, noise=0.02)).startswith("40")
    assert " ms ±" in outcome(make_record(latency_s=0.4, noise=0.02))
    assert outcome(make_record(turns=3, warmup=0)).endswith("ms (too few steps for an interval)")
    assert outcome(make_record(turns=2, warmup=4)) == "no steady step was measured"
    assert outcome(make_record(status="timeout", cause="no answer in 9 s")) == "timeout: no answer in 9 s"


@pytest.mark.parametrize(("value", "text"), [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (245, "4 min 05 s")])
def test_waiting_time_is_in_minutes_and_seconds(value, text):
    assert duration(value) == text


def test_counting_gives_all_and_writes_only_to_terminals(make_static):
    statics = [make_static("resnet18"), make_static("resnet50")]
    pipe, terminal = io.StringIO(), Terminal()
    assert counted(iter(statics), 2, pipe) == statics
    assert counted(iter(statics), 2, terminal) == statics
    assert not pipe.getvalue()
    assert "counting" in terminal.getvalue()
