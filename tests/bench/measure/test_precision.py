import os

import pytest
import torch

from bench.measure import precision
from bench.measure.device import Unsupported
from results.schema.labels import PROMISES


def test_tf32_is_switched_for_products_and_convolutions_alike():
    for on in (True, False):
        precision.set_tf32(on=on)
        assert torch.backends.cuda.matmul.allow_tf32 is on
        assert torch.backends.cudnn.allow_tf32 is on


@pytest.mark.parametrize(
    ("runtime", "on"),
    [("eager", False), ("eager:autotune", True), ("compile", False), ("compile:max-autotune-no-cudagraphs", False)],
)
def test_only_a_runtime_that_promises_it_has_the_autotuner(make_case, monkeypatch, runtime, on):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", not on)
    precision.set_kernels(make_case(runtime=runtime))
    assert torch.backends.cudnn.benchmark is on


@pytest.mark.parametrize(
    ("hip", "axes", "asked"),
    [
        ("6.4", {"layout": "nhwc", "device": "cuda:0"}, True),
        ("6.4", {"layout": "nchw", "device": "cuda:0"}, False),
        ("6.4", {"layout": "nhwc", "device": "cpu"}, False),
        (None, {"layout": "nhwc", "device": "cuda:0"}, False),
    ],
)
def test_miopen_is_asked_for_the_layout_of_the_label_and_the_record_says_so(make_case, monkeypatch, hip, axes, asked):
    monkeypatch.setattr(torch.version, "hip", hip)
    monkeypatch.setenv("PYTORCH_MIOPEN_SUGGEST_NHWC", "0")
    case = make_case(**axes)
    precision.set_kernels(case)
    assert os.environ["PYTORCH_MIOPEN_SUGGEST_NHWC"] == ("1" if asked else "0")
    assert any("PYTORCH_MIOPEN_SUGGEST_NHWC=1" in note for note in precision.kernel_notes(case)) is asked


@pytest.mark.parametrize(
    ("flags", "label", "expected"),
    [
        (["avx2"], "fp32", None),
        (["avx2"], "amp-bf16", "emulated"),
        (["avx512_bf16"], "amp-bf16", None),
        (["amx_bf16"], "bf16", None),
        (["avx512_bf16"], "fp16", "emulated"),
        (["bf16", "asimdhp"], "bf16", None),
    ],
)
def test_emulation_is_told_by_the_flags_of_the_cpu(make_case, monkeypatch, flags, label, expected):
    monkeypatch.setattr("bench.machine.cpu.cpu_flags", lambda: tuple(flags))
    note = precision.emulated(make_case(precision=label))
    assert note is None if expected is None else expected in note


@pytest.mark.parametrize(("override", "refused"), [("0", True), ("1", False), (None, False)])
def test_tf32_that_the_environment_switches_off_is_unsupported(make_case, monkeypatch, override, refused):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    if override is not None:
        monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", override)
    precision.check_precision(make_case(device="cuda:0", precision="fp32"))
    if refused:
        with pytest.raises(Unsupported, match="NVIDIA_TF32_OVERRIDE=0 switches TF32 off"):
            precision.check_precision(make_case(device="cuda:0", precision="tf32"))
    else:
        precision.check_precision(make_case(device="cuda:0", precision="tf32"))


@pytest.mark.parametrize("device", ["cuda:0", "xpu:0"])
@pytest.mark.parametrize("native", [True, False])
def test_a_gpu_is_asked_for_bf16_of_its_own(make_case, monkeypatch, device, native):
    backend = torch.get_device_module(device.partition(":")[0])
    monkeypatch.setattr(backend, "is_bf16_supported", lambda including_emulation: native or including_emulation)
    note = precision.emulated(make_case(device=device, precision="amp-bf16"))
    assert note is None if native else "emulated" in note
    assert precision.emulated(make_case(device=device, precision="amp-fp16")) is None


@pytest.mark.parametrize("label", PROMISES)
def test_each_precision_has_its_context_and_its_scaler(make_case, monkeypatch, label):
    monkeypatch.setattr("bench.machine.cpu.cpu_flags", tuple)
    promise = PROMISES[label]
    assert (precision.emulated(make_case(precision=label)) is None) == (promise.compute == "float32")
    for task, trains in (("inference", False), ("training", True)):
        scaler = precision.grad_scaler(make_case(precision=label, task=task))
        assert scaler.is_enabled() == (promise.grad_scaler and trains)
    with precision.autocast(make_case(precision=label)):
        assert torch.is_autocast_enabled("cpu") == (promise.autocast is not None)
