"""The physics against simulated devices with a real queue, and its parts on the CPU."""

import itertools
import json

import pytest

from bench.measure.device import Cpu
from tests.bench.devices import AsyncDevice, queued
from tests.rehearsal.parts import physics, rates, timm_like, turns
from tests.rehearsal.parts.lines import measure

LAUNCH_S, RUN_S = 0.001, 0.020


class Pausing:
    """A device that idleness slows down: its first steps after a pause of 50 ms or more take twice as long."""

    def __init__(self, slow_steps):
        self.device = AsyncDevice()
        self.slow_steps = slow_steps
        self.since_pause = slow_steps

    def sleep(self, seconds):
        self.device.host_s += seconds
        if seconds >= 0.05:
            self.since_pause = 0

    def step(self, mark):
        slow = self.since_pause < self.slow_steps
        self.since_pause += 1
        self.device.launch(0.0, RUN_S * (2 if slow else 1))


def test_a_mark_costs_what_the_host_spends_on_it():
    class Costly(AsyncDevice):
        def mark(self):
            self.host_s += 3e-6
            return super().mark()

    device = Costly()
    cost = turns.mark_cost(device, lambda: device.launch(10e-6, 1e-6), clock=device.clock)
    assert cost["two_marks_s"] == pytest.approx(6e-6, rel=0.05)
    assert cost["four_marks_s"] == pytest.approx(12e-6, rel=0.05)
    assert cost["step_s"] == pytest.approx(10e-6, rel=0.05)


def test_a_turn_that_waits_behind_its_dropped_step_shows_the_launch():
    device = AsyncDevice()
    shapes = turns.turn_shapes(device, queued(device, LAUNCH_S, RUN_S), clock=device.clock, repeats=3)
    assert shapes["plateau_s"] == pytest.approx(RUN_S)
    assert shapes["plateau_moved"] == pytest.approx(1)
    assert shapes["after_1"] == pytest.approx(LAUNCH_S / RUN_S)
    assert shapes["behind_1"] == pytest.approx(0, abs=1e-9)
    assert shapes["after_5"] == pytest.approx(0, abs=1e-9)
    assert set(shapes) >= {"harness_1", "harness_2", "harness_5"}


@pytest.mark.parametrize("slow_steps", [0, 2])
def test_slow_steps_after_a_gap_are_counted(slow_steps):
    pausing = Pausing(slow_steps)
    values = turns.after_gaps(
        pausing.device, pausing.step, clock=pausing.device.clock, sleep=pausing.sleep, gaps_s=(0.01, 0.05, 1.0)
    )
    assert values["slow_steps"] == [0, slow_steps, slow_steps]
    assert values["slow_after_short_gaps"] == values["slow_after_long_gaps"] == slow_steps


def test_steps_that_never_come_near_the_plateau_are_all_counted():
    pausing = Pausing(turns.GAP_STEPS)
    values = turns.after_gaps(
        pausing.device, pausing.step, clock=pausing.device.clock, sleep=pausing.sleep, gaps_s=(0.1,)
    )
    assert values["slow_steps"] == [turns.GAP_STEPS]


@pytest.mark.parametrize("slower", [1.0, 1.3])
def test_a_device_that_slows_down_under_load_is_seen(slower):
    device = AsyncDevice()

    def step(mark):
        device.launch(0.0, RUN_S * (slower if device.host_s > 5 else 1))

    values = turns.sustained(device, step, clock=device.clock, seconds=20)
    assert values["plateau_s"] == pytest.approx(RUN_S)
    assert values["sustained"] == pytest.approx(slower)


def test_float32_on_the_host_is_float32():
    errors = rates.float32_errors("cpu", tf32=False)
    assert 0 < errors["matmul"] < 2e-6
    assert 0 < errors["convolution"] < 2e-6


def test_rates_are_positive():
    copied = rates.copy_bandwidth(Cpu(), size_bytes=2**16, seconds=0.0)
    peak = rates.peaks(Cpu(), "fp32", size=64, seconds=0.0, idle_s=0.0)
    assert copied["bytes_per_s"] > 0
    assert peak["cold_over_warm"] == pytest.approx(peak["cold_flops_per_s"] / peak["warm_flops_per_s"])


def test_every_part_has_a_name_that_a_bound_can_read():
    gpu = [name for name, _ in physics.parts("cpu", physics.ACCELERATOR, "no driver", None)]
    assert len(set(gpu)) == len(gpu)
    assert {name for name, _ in physics.parts("cpu", physics.CPU, "no driver", None)} <= set(gpu)


def test_a_step_of_the_harness_is_what_is_timed():
    parts = dict(physics.parts("cpu", physics.CPU, "no driver", None))
    seen = []
    part = parts["P4"].func(parts["P4"].args[0], Cpu(), lambda device, step: seen.append(step(lambda: None)) or {})
    assert part["case"].startswith("cifar_resnet20/inference/b8/32/cpu/fp32")
    assert seen[0].shape == (8, 10)


def test_a_part_that_fails_leaves_its_reason_and_the_next_goes_on(tmp_path):
    path = tmp_path / "physics.jsonl"

    def broken():
        raise LookupError("no driver")

    measure(path, "M1", broken)
    measure(path, "P1", lambda: {"x": 1})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0]["error"] == "LookupError: no driver"
    assert lines[1]["x"] == 1
    assert all(line["from_s"] <= line["to_s"] for line in lines)


def test_the_loop_like_timms_counts_images_by_the_wall_clock():
    readings = itertools.count()
    arguments = ["FILE", "NAME", "--device", "cpu", "--model", "cifar_resnet20", "--batch-size", "2"]
    arguments += ["--image-size", "32", "--precision", "fp32", "--autotune", "off", "--seconds", "2"]
    line = timm_like.throughput(timm_like.parsed(arguments), clock=lambda: 0.25 * next(readings))
    assert (line["steps"], line["step_s"], line["images_per_s"]) == (3, 0.25, 8)
    assert line["nulls"] == {"peak_allocated_bytes": "the CPU has no device memory"}
