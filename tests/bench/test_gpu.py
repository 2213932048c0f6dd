"""What only a real accelerator shows: `nox -s gpu`. Skipped, with the reason, where there is none."""

import pytest
import torch

import bench

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.accelerator.is_available(), reason="no accelerator on this machine"),
]
TINY = {"model": ["cifar_resnet20"], "batch_size": [8]}
QUICK = {"target": 0.05, "budget_s": 1.0, "timeout_s": 300}


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    axes = {
        **TINY,
        "task": ["inference", "training"],
        "precision": ["fp32", "tf32", "amp-fp16", "amp-bf16", "fp16", "bf16"],
        "layout": ["nchw", "nhwc"],
    }
    return bench.run(axes=axes, out=tmp_path_factory.mktemp("runs"), **QUICK)


def test_every_setting_is_measured_or_unsupported_with_a_reason(records):
    assert len(records) == 24
    assert {record.status for record in records} <= {"ok", "unsupported"}
    assert all(record.cause for record in records if record.status == "unsupported")
    assert all(record.status == "ok" for record in records if record.case.precision == "fp32")


def test_a_precision_is_what_really_ran(records):
    compute = {"amp-fp16": "float16", "fp16": "float16", "amp-bf16": "bfloat16", "bf16": "bfloat16"}
    for record in (record for record in records if record.status == "ok"):
        case, ran = record.case, record.ran
        assert ran.compute_dtypes == (compute.get(case.precision, "float32"),)
        assert ran.layout == case.layout
        assert ran.grad_scaler == (case.precision == "amp-fp16" and case.task == "training")
        assert case.precision not in {"fp32", "tf32"} or ran.tf32_matmul == (case.precision == "tf32")
        assert ran.tf32_matmul == ran.tf32_convolution


def test_events_fit_into_the_wall_clock_and_memory_is_told(records):
    for record in (record for record in records if record.status == "ok"):
        steps = len(record.samples.step_s)
        wall_s = sum(record.samples.wall_s[turn] for turn in record.samples.turn)
        assert 0 < sum(record.samples.step_s) <= wall_s * 1.02
        assert steps >= 3
        assert len(record.samples.queued) == len(record.samples.wall_s)
        allocated, reserved = record.facts.peak_allocated_bytes, record.facts.peak_reserved_bytes
        assert record.nulls["peak_allocated_bytes"] if allocated is None else 0 < allocated <= reserved
        assert "peak_prepare_bytes" in record.nulls or record.facts.peak_prepare_bytes > 0


def test_what_the_driver_says_of_the_card_is_there_or_has_its_reason(records):
    for record in (record for record in records if record.status == "ok"):
        clocks, noise, nulls = record.clocks, record.noise, record.nulls
        assert (clocks is None) == ("clocks" in nulls)
        if clocks is not None:
            assert clocks.turns == len(record.samples.wall_s)
            assert (clocks.sm_hz is None) == ("clocks.sm_hz" in nulls)
            assert clocks.sm_hz is None or 1e8 < clocks.sm_hz.low <= clocks.sm_hz.median <= clocks.sm_hz.high < 1e10
            assert (clocks.power_w is None) == ("clocks.power_w" in nulls)
        assert (noise.accelerator_held is None) == ("noise.accelerator_held" in nulls)
        assert (noise.accelerator_processes is None) == ("noise.accelerator_processes" in nulls)


@pytest.mark.parametrize("runtime", ["compile", "compile:reduce-overhead"])
def test_compiled(tmp_path, runtime):
    axes = {**TINY, "runtime": ["eager", runtime], "task": ["inference", "training"]}
    compiled = [r for r in bench.run(axes=axes, out=tmp_path, **QUICK) if r.case.runtime == runtime]
    assert len(compiled) == 2
    for record in compiled:
        assert record.status in {"ok", "unsupported"}, record.cause
        if record.status == "ok":
            assert record.facts.graph_breaks == 0
            assert record.facts.compile_s > 0
            assert record.samples.at_s


def test_the_autotuner_is_on_where_it_is_promised(tmp_path):
    axes = {**TINY, "runtime": ["eager", "eager:autotune"]}
    records = {record.case.runtime: record for record in bench.run(axes=axes, out=tmp_path, **QUICK)}
    assert records["eager"].ran.cudnn_benchmark is False
    autotuned = records["eager:autotune"]
    assert autotuned.status in {"ok", "unsupported"}, autotuned.cause
    assert autotuned.status == "unsupported" or autotuned.ran.cudnn_benchmark


def test_templates_of_triton_break_no_label(tmp_path):
    runtime = "compile:max-autotune-no-cudagraphs"
    axes = {**TINY, "runtime": [runtime], "precision": ["amp-bf16"], "layout": ["nhwc"]}
    for record in bench.run(axes=axes, out=tmp_path, **QUICK):
        assert record.status in {"ok", "unsupported"}, record.cause
        if record.status == "ok":
            assert record.ran.compute_dtypes in {(), ("bfloat16",)}
            assert record.ran.batch_size in {None, record.case.batch_size}
            assert record.ran.image_size in {None, record.case.image_size}


def test_too_large_is_a_record_and_the_next_case_goes_on(tmp_path):
    axes = {"model": ["resnet152"], "task": ["training"], "batch_size": [1 << 16, 1]}
    statuses = {r.case.batch_size: r.status for r in bench.run(axes=axes, out=tmp_path, **QUICK)}
    assert statuses == {1 << 16: "out-of-memory", 1: "ok"}
