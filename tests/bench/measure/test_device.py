import pytest
import torch

from bench.measure import device
from bench.measure.device import Accelerator, Cpu, first_line, open_device, resolve
from results.errors import InputError
from tests.bench.cards import Card, as_torch


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: None)


@pytest.mark.parametrize(
    ("name", "full"), [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")]
)
def test_names_with_accelerators(two_gpus, name, full):
    assert resolve(name) == full


def test_names_without(no_gpu):
    assert resolve("auto") == "cpu"
    for name in ("cuda", "cuda:0", "mps", "nonsense", ""):
        with pytest.raises(InputError, match=r"no device .* on this machine \(devices: cpu\)"):
            resolve(name)


def test_an_index_that_is_not_there(two_gpus):
    with pytest.raises(InputError, match=r"devices: cpu, cuda:0, cuda:1"):
        resolve("cuda:2")


@pytest.fixture
def a_mac(monkeypatch):
    """A Mac on which torch must not be asked for its GPU: Metal would hang."""
    monkeypatch.setattr(device.sys, "platform", "darwin")
    for function in ("current_accelerator", "device_count", "is_available"):
        monkeypatch.setattr(torch.accelerator, function, lambda *_, **__: pytest.fail("Metal was asked"))


def test_an_apple_gpu_is_refused_at_once_and_never_chosen(a_mac):
    assert (resolve("auto"), resolve("cpu")) == ("cpu", "cpu")
    for name in ("mps", "mps:0"):
        with pytest.raises(InputError, match=r"Metal hangs or dies in a forked process.*give --device cpu"):
            resolve(name)
    with pytest.raises(InputError, match=r"no device 'cuda' on this machine \(devices: cpu\)"):
        resolve("cuda")


def test_the_cpu_is_opened_without_an_accelerator(no_gpu):
    cpu = open_device("cpu")
    assert isinstance(cpu, Cpu)
    assert cpu.seconds(cpu.mark(), cpu.mark()) >= 0


class Event:
    now_ms = 0.0

    def __init__(self, where, enable_timing):
        assert enable_timing
        self.where = where

    def record(self):
        self.time_ms = Event.now_ms

    def elapsed_time(self, other):
        return other.time_ms - self.time_ms


@pytest.fixture
def accelerator(two_gpus, monkeypatch):
    monkeypatch.setattr(torch.accelerator, "set_device_index", lambda index: None)
    monkeypatch.setattr(torch, "Event", Event)
    return open_device("cuda:1")


def test_events_count_in_milliseconds(accelerator):
    first = accelerator.mark()
    Event.now_ms += 20.0
    assert accelerator.seconds(first, accelerator.mark()) == pytest.approx(0.020)
    assert first.where == torch.device("cuda:1")


def test_synchronising_waits_for_this_device(accelerator, monkeypatch):
    waited = []
    monkeypatch.setattr(torch.accelerator, "synchronize", waited.append)
    accelerator.synchronize()
    assert waited == [torch.device("cuda:1")]


def test_peak_memory_is_told_or_null_with_a_reason(accelerator, monkeypatch):
    monkeypatch.setattr(torch.accelerator.memory, "max_memory_allocated", lambda device: 10)
    monkeypatch.setattr(torch.accelerator.memory, "max_memory_reserved", lambda device: 20)
    assert accelerator.peak_memory() == device.PeakMemory(allocated=10, reserved=20)

    def refuse(device):
        raise NotImplementedError("no allocator\nmore")

    monkeypatch.setattr(torch.accelerator.memory, "max_memory_reserved", refuse)
    peak = accelerator.peak_memory()
    assert peak.allocated is None
    assert "no allocator" in peak.reason


def test_events_are_used_again_after_a_synchronisation_and_not_before(accelerator, monkeypatch):
    monkeypatch.setattr(torch.accelerator, "synchronize", lambda device: None)
    first = [accelerator.mark() for _ in range(3)]
    assert len(set(map(id, first))) == 3
    accelerator.synchronize()
    assert [accelerator.mark() for _ in range(3)] == first
    assert accelerator.mark() not in first


def test_the_peak_of_steps_begins_after_the_preparation(monkeypatch):
    context = as_torch(monkeypatch, Card())
    accelerator = open_device("cuda:0")
    context.allocate(3_000)
    context.release(3_000)
    assert accelerator.restart_peak() == device.PeakMemory(allocated=3_000, reserved=3_000)
    context.allocate(1_000)
    context.release(1_000)
    assert accelerator.peak_memory() == device.PeakMemory(allocated=1_000, reserved=3_000)


def test_a_peak_that_cannot_restart_has_a_reason(monkeypatch):
    as_torch(monkeypatch, Card())
    accelerator = open_device("cuda:0")

    def refuse(device):
        raise RuntimeError("not a DeviceAllocator")

    monkeypatch.setattr(torch.accelerator.memory, "reset_peak_memory_stats", refuse)
    peak = accelerator.restart_peak()
    assert peak.allocated is None
    assert "not a DeviceAllocator" in peak.reason
    assert accelerator.peak_memory().reason is None


def test_free_memory_is_told_or_unknown(accelerator, monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (5, 10))
    assert accelerator.free_memory() == 5

    def refuse(device):
        raise RuntimeError("no driver")

    monkeypatch.setattr(torch.cuda, "mem_get_info", refuse)
    assert accelerator.free_memory() is None


def test_what_is_kept_for_later_tensors_is_given_back(monkeypatch):
    context = as_torch(monkeypatch, Card(memory_bytes=10_000, context_bytes=1_000))
    accelerator = open_device("cuda:0")
    context.allocate(3_000)
    context.release(2_000)
    assert accelerator.free_memory() == 6_000
    accelerator.release_memory()
    assert accelerator.free_memory() == 8_000


def test_the_first_line_that_says_something():
    assert first_line(ValueError("\n\n  what \nmore")) == "what"
    assert first_line(ValueError()) == "ValueError"


@pytest.mark.gpu
def test_a_real_accelerator_is_timed_by_its_events():
    if not torch.accelerator.is_available():
        pytest.skip("no accelerator on this machine")
    accelerator = open_device(resolve("auto"))
    assert isinstance(accelerator, Accelerator)
    matrix = torch.randn(4096, 4096, device=accelerator.name)
    accelerator.synchronize()
    first = accelerator.mark()
    for _ in range(20):
        matrix @ matrix
    last = accelerator.mark()
    accelerator.synchronize()
    assert accelerator.seconds(first, last) > 0
    peak = accelerator.peak_memory()
    assert peak.reason if peak.allocated is None else peak.allocated >= matrix.nbytes
    free = accelerator.free_memory()
    assert free is None or free > 0
