import dataclasses
import math

import pytest
import torch

from bench.measure import precision
from bench.tasks.workload import build
from bench.validate import equality
from bench.validate.equality import Incomparable, check_equality


@pytest.fixture(autouse=True)
def settings_of_torch():
    """Workers are alone in their process; these tests are not."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    precision.set_tf32(on=False)


@pytest.fixture
def tiny(make_case):
    def tiny(**axes):
        return make_case(**{"model": "cifar_resnet20", "batch_size": 6, "image_size": 32, "threads": 1, **axes})

    return tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One for all tests, as the workers of a group share one."""
    return tmp_path_factory.mktemp("shared")


LAST_BLOCK = "layer3.2"


def scaled(work):
    work.module.fc.forward = lambda x: torch.nn.functional.linear(x, work.module.fc.weight * 1.02, work.module.fc.bias)


def other_mode(work):
    work.module.train(not work.module.training)


def without_relu(work):
    relus = [part for part in work.module.modules() if isinstance(part, torch.nn.ReLU)]
    relus[-1].forward = lambda x: x


def without_last_block(work):
    work.module.get_submodule(LAST_BLOCK).forward = lambda x: x


def from_another_input(work):
    kept, step = work.images.clone(), work.step

    def cached(mark):
        with torch.no_grad():
            work.images.copy_(kept)
        return step(mark)

    return dataclasses.replace(work, step=cached)


def in_bf16(work):
    step = work.step

    def lower(mark):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return step(mark)

    return dataclasses.replace(work, step=lower)


def one_wrong_class(work):
    work.module.fc.register_forward_hook(lambda _module, _inputs, output: torch.cat([output[:, :-1], output[:, :1]], 1))


@pytest.mark.parametrize("task", ["inference", "training"])
@pytest.mark.parametrize(
    "axes",
    [
        {"layout": "nhwc"},
        {"precision": "amp-bf16"},
        {"precision": "amp-fp16"},
        {"precision": "bf16", "layout": "nhwc"},
        {"layout": "nhwc", "image_size": "32x24", "in_channels": 1},
    ],
    ids=lambda axes: "-".join(map(str, axes.values())),
)
def test_an_honest_case_is_equal_after_its_weights_have_moved(tiny, folder, task, axes):
    case = tiny(task=task, **axes)
    work = build(case)
    with work.context():
        for _ in range(2):
            work.step(lambda: None)
    found = check_equality(case, work, folder)
    assert found.verdict == "equal"
    assert 0 < found.error < found.allowed / 1.5
    assert all(weight.grad is None for weight in work.module.parameters())


@pytest.mark.parametrize("task", ["inference", "training"])
@pytest.mark.parametrize("head", ["none", "segmentation"])
def test_other_heads_are_compared_too(tiny, folder, head, task):
    case = tiny(task=task, head=head, layout="nhwc")
    assert check_equality(case, build(case), folder).verdict == "equal"


@pytest.mark.parametrize(("part", "what"), [("fc", "output"), ("decoder.mask", "mask")])
def test_both_outputs_of_a_segmenter_are_compared(tiny, folder, part, what):
    case = tiny(head="segmentation", layout="nhwc")
    work = build(case)
    work.module.get_submodule(part).register_forward_hook(lambda _module, _inputs, output: output * 1.02)
    found = check_equality(case, work, folder)
    assert (found.verdict, found.what) == ("wrong", what)


def test_detections_have_no_result_to_compare(tiny, folder):
    case = tiny(model="resnet18", head="faster-rcnn")
    with pytest.raises(Incomparable, match="faster-rcnn has no result to compare: the number of boxes"):
        check_equality(case, None, folder)


@pytest.mark.parametrize("task", ["inference", "training"])
@pytest.mark.parametrize(
    "plant", [scaled, other_mode, without_relu, without_last_block, from_another_input, in_bf16, one_wrong_class]
)
def test_a_planted_fault_is_wrong(tiny, folder, task, plant):
    case = tiny(task=task, layout="nhwc")
    work = build(case)
    found = check_equality(case, plant(work) or work, folder)
    assert found.verdict == "wrong"
    assert found.error is None or found.error > 2 * found.allowed


@pytest.mark.parametrize("task", ["inference", "training"])
@pytest.mark.parametrize("plant", [other_mode, from_another_input, without_last_block])
def test_gross_faults_show_in_bf16_too(tiny, folder, task, plant):
    case = tiny(task=task, precision="amp-bf16")
    work = build(case)
    assert check_equality(case, plant(work) or work, folder).verdict == "wrong"


def test_a_result_that_is_not_finite_is_wrong_and_has_no_error(tiny, folder):
    case = tiny(layout="nhwc")
    work = build(case)
    work.module.fc.register_forward_hook(lambda _module, _inputs, output: output * math.inf)
    found = check_equality(case, work, folder)
    assert (found.verdict, found.error, found.what) == ("wrong", None, "output")


def test_a_baseline_that_does_not_repeat_itself_is_told(tiny, tmp_path, monkeypatch):
    class Random(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(3, 10)

        def forward(self, x):
            return self.fc(torch.nn.functional.dropout(x.mean((2, 3)), training=self.training))

    monkeypatch.setattr("bench.tasks.networks.create_network", lambda name, **_: Random())
    case = tiny(task="training", layout="nhwc")
    assert check_equality(case, build(case), tmp_path).verdict == "eager-twice-differs"


def test_a_step_that_gives_nothing_back_cannot_be_compared(tiny, folder):
    case = tiny(layout="nhwc")
    with pytest.raises(Incomparable, match="gives nothing back"):
        check_equality(case, dataclasses.replace(build(case), step=lambda mark: None), folder)


def test_the_reference_is_made_once_for_the_group_and_nothing_of_it_is_pickled(tiny, tmp_path, monkeypatch):
    built = []
    real, network = equality.build, equality.network
    monkeypatch.setattr(equality, "build", lambda case, **more: built.append(more.get("dtype")) or real(case, **more))
    monkeypatch.setattr(equality, "network", lambda case: built.append("weights") or network(case))
    for axes in ({"layout": "nhwc"}, {"precision": "bf16"}):
        case = tiny(**axes)
        assert check_equality(case, build(case), tmp_path).verdict == "equal"
    assert built == ["weights", "float64", None]  # the last is the baseline
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors"}


@pytest.mark.parametrize("model", ["cifar_resnet20", "preact_resnet18", "resnet18d"])
def test_blocks_that_compute_their_activations_again_have_the_same_result(tiny, model):
    case = tiny(model=model, task="training", batch_size=2)
    usual, frugal = (build(case, dtype="float64") for _ in range(2))
    passes = []
    for name, work in {"usual": usual, "frugal": frugal}.items():
        work.module.layer2[1].conv1.register_forward_hook(lambda *_, name=name: passes.append(name))
    equality.recompute_activations(frugal.module)
    weights = {name: weight.clone() for name, weight in usual.module.state_dict().items()}
    fresh = equality._input(case, weights, 0)
    values, again = equality.run_once(usual, fresh), equality.run_once(frugal, fresh)
    assert (passes.count("usual"), passes.count("frugal")) == (1, 2)
    assert values.keys() == again.keys()
    assert all(torch.equal(value, again[name]) for name, value in values.items())


@pytest.mark.parametrize("on_cpu", [True, False])
def test_a_reference_on_an_accelerator_takes_little_memory(tiny, tmp_path, monkeypatch, on_cpu):
    frugal = []
    monkeypatch.setattr(equality, "is_cpu", lambda device: on_cpu)
    monkeypatch.setattr(equality, "recompute_activations", frugal.append)
    case = tiny(task="training", layout="nhwc")
    assert check_equality(case, build(case), tmp_path).verdict == "equal"
    assert len(frugal) == (0 if on_cpu else 1)


def test_a_device_without_fp64_has_its_reference_on_the_cpu(tiny, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(equality, "fp64_device", lambda device: asked.append(device) or "cpu")
    case = tiny(layout="nhwc")
    assert check_equality(case, build(case), tmp_path).verdict == "equal"
    assert asked == ["cpu"]


@pytest.mark.parametrize("error", [RuntimeError("Required aspect fp64 is not supported"), TypeError("no float64")])
def test_whether_a_device_has_fp64_is_tried(monkeypatch, error):
    assert equality.fp64_device("cpu") == "cpu"

    def refuse(*_, dtype, device):
        assert dtype == torch.float64
        raise error

    monkeypatch.setattr(torch, "ones", refuse)
    assert equality.fp64_device("xpu:0") == "cpu"
    monkeypatch.setattr(torch, "ones", lambda *_, dtype, device: torch.zeros(2, dtype=dtype))
    assert equality.fp64_device("xpu:0") == "xpu:0"


def test_the_random_stream_is_left_as_it_was(tiny, folder):
    case = tiny(layout="nhwc")
    work = build(case)
    before = torch.random.get_rng_state()
    check_equality(case, work, folder)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_case_has_its_own_kernels_again_after_its_reference(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("bench.runtimes.eager.Eager.unsupported", lambda self, case: None)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    case = tiny(layout="nhwc", runtime="eager:autotune")
    work = build(case)
    step, seen = work.step, []

    def watched(mark):
        seen.append(torch.backends.cudnn.benchmark)
        return step(mark)

    assert check_equality(case, dataclasses.replace(work, step=watched), tmp_path).verdict == "equal"
    assert seen == [True]


def test_a_loss_scale_that_overflows_is_lowered_as_in_training(tiny, folder):
    case = tiny(task="training", precision="amp-fp16")
    work = build(case)
    work.scaler.scale(torch.zeros(1))  # it makes its scale when first asked
    work.scaler.update(2.0**20)
    assert check_equality(case, work, folder).verdict == "equal"
    assert work.scaler.get_scale() < 2.0**20


def test_one_flipped_unit_is_forgiven_where_another_input_has_none(tiny, folder, monkeypatch):
    case = tiny(task="training", layout="nhwc")
    real, calls = equality.run_once, []

    def flipped(work, given):
        values = real(work, given)
        if work is subject:
            calls.append(1)
            if len(calls) == 1:
                values["conv1.weight"] = values["conv1.weight"] * 1.05
        return values

    monkeypatch.setattr(equality, "run_once", flipped)
    subject = build(case)
    assert check_equality(case, subject, folder).verdict == "equal"
    assert len(calls) == 2
