import pathlib

import pytest
import torch

from resnet.training import events


def test_the_peak_of_a_cpu_is_that_of_the_process():
    peak, reason = events.peak_memory(torch.device("cpu"))
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    assert peak >= pages * 4096 * 0.9
    assert reason is None


@pytest.mark.parametrize("content", [None, "", "VmHWM:\n", "VmHWM: many kB\n"])
def test_a_peak_that_cannot_be_had_is_none_with_a_reason(monkeypatch, tmp_path, content):
    if content is not None:
        (tmp_path / "status").write_text(content)
    monkeypatch.setattr(events, "_STATUS", tmp_path / "status")
    peak, reason = events.peak_memory(torch.device("cpu"))
    assert peak is None
    assert "VmHWM" in reason


def test_an_accelerator_without_statistics_gives_a_reason(monkeypatch):
    def refuse(device):
        raise RuntimeError("no statistics")

    monkeypatch.setattr(torch.accelerator, "max_memory_allocated", refuse)
    monkeypatch.setattr(torch.accelerator, "reset_peak_memory_stats", refuse)
    device = torch.device("mps")
    events.restart_peak(device)
    peak, reason = events.peak_memory(device)
    assert peak is None
    assert "mps" in reason
