import warnings

import pytest
import torch

from reports.text.best.snippets import snippet
from results.schema.labels import RUNTIMES

FAST = [
    name
    for name, facts in RUNTIMES.items()
    if facts.engine in {"eager", "exported", "ort", "ov"} and facts.devices != ("cuda",)
]


@pytest.fixture
def small(make_case):
    return lambda **axes: make_case(
        **{"model": "cifar_resnet20", "image_size": 32, "batch_size": 2, "threads": 1, **axes}
    )


def run(code, folder):
    threads = torch.get_num_threads()
    names = {"path": str(folder / "network.onnx")}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporters, which a user's program may show
            exec(compile(code, "snippet", "exec"), names)  # noqa: S102 - that a user can run it is what is tested
    finally:
        torch.set_num_threads(threads)
    return names


@pytest.mark.parametrize("runtime", FAST)
def test_the_snippet_of_a_runtime_runs_and_computes_what_the_network_does(small, runtime, tmp_path):
    names = run(snippet(small(runtime=runtime)), tmp_path)
    assert torch.as_tensor(names["logits"]).shape == (2, 10)
    assert torch.as_tensor(names["logits"]).isfinite().all()


@pytest.mark.parametrize(
    "axes", [{"precision": "amp-bf16"}, {"layout": "nhwc"}, {"precision": "bf16", "layout": "nhwc"},
             {"task": "training"}, {"task": "training", "precision": "amp-fp16"},
             {"model": "torchvision:resnet18", "image_size": 64}]
)  # fmt: skip
def test_the_snippet_has_the_other_axes(small, axes, tmp_path):
    names = run(snippet(small(**axes)), tmp_path)
    assert (names["loss"] if axes.get("task") else names["logits"]).isfinite().all()


def test_every_snippet_is_python(small):
    for runtime, facts in RUNTIMES.items():
        for task in facts.tasks:
            for device in ("cpu", "cuda:0"):
                code = snippet(
                    small(runtime=runtime, task=task, device=device, precision="tf32" if device != "cpu" else "fp32")
                )
                compile(code, runtime, "exec")
                assert ('"cuda' in code or "CUDAExec" in code) == (device != "cpu")


def test_a_compiler_that_freezes_is_told_so(small):
    assert "freezing = True" in snippet(small(runtime="compile:freezing"))
    assert 'mode="max-autotune"' in snippet(small(runtime="compile:max-autotune"))
    assert "freezing" not in snippet(small(runtime="compile"))


@pytest.mark.parametrize(("runtime", "package"), [("onnxruntime", "onnxruntime"), ("openvino", "nncf")])
def test_a_quantized_network_is_built_and_runs(small, runtime, package, tmp_path):
    pytest.importorskip(package, reason="an extra is not installed")
    names = run(snippet(small(runtime=runtime, precision="int8")), tmp_path)
    assert torch.as_tensor(names["logits"]).isfinite().all()


def test_the_quantizer_of_torch_is_in_the_snippet(small):
    code = snippet(small(runtime="compile:freezing", precision="int8"))
    compile(code, "int8", "exec")
    assert "prepare_pt2e" in code
