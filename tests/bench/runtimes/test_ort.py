import pytest
import torch

from bench.measure.device import Unsupported
from bench.runtimes import engine_of
from bench.tasks.workload import build
from tests.bench.runtimes.engines import live, small

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnxruntime is not installed")


def test_it_is_right_and_says_what_ran(make_case, tmp_path):
    lived = live(small(make_case, runtime="onnxruntime"), tmp_path)
    facts, ran = lived.finished.facts, lived.finished.ran
    assert lived.equality.verdict == "equal"
    assert (ran.compute_dtypes, ran.batch_size, ran.image_size) == (("float32",), 2, 32)
    assert ran.threads == 1
    assert facts.export_s > 0
    assert facts.build_s > 0
    assert facts.artefact_bytes > 4 * 270_000  # the weights, in fp32


def test_a_later_process_reads_the_file_of_the_first(make_case, tmp_path):
    case = small(make_case, runtime="onnxruntime")
    first = live(case, tmp_path, check=False)
    again = live(case, tmp_path, check=False)
    assert again.finished.facts.export_s is None
    assert again.ready.first_step_s < first.ready.first_step_s


def test_other_weights_are_exported_anew(make_case, tmp_path):
    work = build(small(make_case, runtime="onnxruntime"), cache=tmp_path)
    with work.context():
        first = torch.as_tensor(work.step(lambda: None)).clone()
        zeros = {name: torch.zeros_like(tensor) for name, tensor in work.module.state_dict().items()}
        work.prepared.load(zeros)
        second = torch.as_tensor(work.step(lambda: None))
    assert first.abs().sum() > 0
    assert second.abs().sum() == 0


def test_several_outputs_are_a_tuple(make_case, tmp_path):
    case = make_case(
        model="resnet18", image_size=64, batch_size=1, head="segmentation", runtime="onnxruntime", threads=1
    )
    work = build(case, cache=tmp_path)
    with work.context():
        scores, mask = work.step(lambda: None)
    assert (scores.shape, mask.shape) == ((1, 2), (1, 1, 64, 64))


@pytest.mark.parametrize(
    ("axes", "reason"),
    [
        ({"precision": "bf16"}, "has no bf16"),
        ({"layout": "nhwc"}, "nchw"),
        ({"task": "training"}, "runs no training"),
        ({"runtime": "tensorrt"}, "tensorrt runs on cuda, not on cpu"),
    ],
)
def test_what_it_cannot_do_is_unsupported(make_case, axes, reason):
    with pytest.raises(Unsupported, match=reason):
        build(small(make_case, **{"runtime": "onnxruntime", **axes}))


def test_a_provider_that_the_package_lacks_names_the_package_that_has_it(make_case):
    reason = engine_of("tensorrt").unsupported(small(make_case, runtime="tensorrt", device="cuda:0"))
    present = "TensorrtExecutionProvider" in onnxruntime.get_available_providers()
    assert (reason is None) == present
    assert present or "onnxruntime-gpu" in reason


def test_a_package_that_is_not_installed_is_named_with_its_extra(make_case, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        Unsupported, match=r"onnxruntime and onnx and onnxscript is not installed.*resnet-bench\[onnxruntime\]"
    ):
        build(small(make_case, runtime="onnxruntime"))
