import pytest
import torch

from bench.process import ask
from bench.process.messages import Prepare, TakeTurn
from results.errors import InputError
from results.statistics.intervals import Interval
from tests.selftest import byhand, selfbench


class Event:
    """An event of a device whose clock moves by 3 ms an event."""

    count = 0

    def __init__(self, device, enable_timing):
        assert (device, enable_timing) == ("cpu", True)

    def record(self):
        Event.count += 1
        self.time_ms = 3.0 * Event.count

    def elapsed_time(self, later):
        return later.time_ms - self.time_ms


@pytest.fixture
def device(monkeypatch):
    """Let the host be an accelerator; gives the events that were recorded, as ``count``."""
    synchronised = []
    monkeypatch.setattr(Event, "count", 0)
    monkeypatch.setattr(torch, "Event", Event)
    monkeypatch.setattr(torch.accelerator, "set_device_index", lambda index: None)
    monkeypatch.setattr(torch.accelerator, "synchronize", lambda: synchronised.append(True))
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    return synchronised


@pytest.mark.parametrize(
    ("kind", "events", "step_s"), [(byhand.ByEvents, 5, 0.003), (byhand.ByTurn, 2, pytest.approx(0.003 / 4))]
)
def test_a_loop_by_hand_is_timed_by_its_events(device, make_case, kind, events, step_s):
    worker = kind()
    case = make_case(model="torchvision:resnet18", batch_size=1, image_size=64)
    worker.prepare(Prepare(case=case, cache="", token="x"))  # noqa: S106 - no password
    turn = worker.turn(TakeTurn(steps=4, drop=1))
    assert turn.step_s == (step_s,) * 4
    assert Event.count == events
    assert device == [True]
    assert not torch.backends.cudnn.allow_tf32


@pytest.fixture
def machine(monkeypatch, make_run):
    """Let the session run on a machine with two accelerators, and measure nothing; gives what is paired."""
    pairs = []

    class Server:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    def environment(_, devices):
        (device,) = devices
        if device not in {"cpu", "cuda:0", "cuda:1"}:
            raise InputError(f"no device {device!r} on this machine (devices: cpu, cuda:0, cuda:1)")
        return [device], make_run().environment

    def paired(_, ours, reference, target=None):
        pairs.append((ours, reference, target))
        return Interval(value=1.001, low=0.999, high=1.003)

    monkeypatch.setattr(selfbench, "ForkServer", Server)
    monkeypatch.setattr(ask, "environment", environment)
    monkeypatch.setattr(selfbench, "paired", paired)
    return pairs


def test_rows_of_an_accelerator_are_measured_on_it(machine, capsys):
    assert selfbench.main(["--device", "cuda:1", "events", "marks"]) == 0
    assert {case.device for pair in machine for case in pair[:2]} == {"cuda:1"}
    assert [target for *_, target in machine] == [byhand.BY_EVENTS] * 2 + [byhand.BY_TURN] * 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["kept"] * 4
    assert all("on cuda:1" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--device", "cuda:2"], "no device 'cuda:2' on this machine (devices: cpu, cuda:0, cuda:1)"),
        (["--device", "cuda:0", "static"], "cuda:0 has no such rows (rows: events, marks, carry)"),
        (["marks"], "cpu has no such rows (rows: start, static"),
        (["--device", "cuda:0", "marks", "--write"], "--write is for the figures of a CPU"),
    ],
)
def test_what_makes_no_sense_is_one_line(machine, capsys, arguments, reason):
    assert selfbench.main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert machine == []
