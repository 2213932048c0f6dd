import pytest
import torch

from bench.measure.device import Cpu
from bench.runtimes import NOTHING_COMPILED, eager


def test_eager_runs_the_module_itself_on_its_own_input_and_weights(make_case):
    module, images = torch.nn.Linear(3, 2), torch.ones(1, 3)
    device = Cpu()
    prepared = eager.RUNTIME.prepare(make_case(), module, images, device=device, cache=None)
    assert prepared.device is device
    before = images.data_ptr(), module.weight.data_ptr()
    with torch.inference_mode():
        assert torch.equal(prepared.forward(), module(images))
        prepared.feed(torch.zeros(1, 3))
        prepared.load({"weight": torch.ones(2, 3), "bias": torch.tensor([5.0, 7.0])})
        assert prepared.forward().tolist() == [[5.0, 7.0]]
    assert (images.data_ptr(), module.weight.data_ptr()) == before


@pytest.mark.parametrize(
    ("device", "built", "reason"),
    [
        ("cuda:0", True, None),
        ("cuda:0", False, "without which this torch was built"),
        ("cpu", True, "which cpu has not"),
        ("mps:0", True, "which mps:0 has not"),
        ("xpu:0", True, "which xpu:0 has not"),
    ],
)
def test_an_autotuner_that_is_not_there_is_unsupported(make_case, monkeypatch, device, built, reason):
    monkeypatch.setattr(torch.backends.cudnn, "is_available", lambda: built)
    said = eager.RUNTIME.unsupported(make_case(device=device, runtime="eager:autotune"))
    assert said is None if reason is None else reason in said


def test_eager_runs_every_case_and_compiles_nothing(make_case):
    assert eager.RUNTIME.unsupported(make_case(device="cuda:0", precision="tf32")) is None
    prepared = eager.RUNTIME.prepare(make_case(), torch.nn.Identity(), torch.ones(1), device=Cpu(), cache=None)
    prepared.first_step_ended()
    assert prepared.report() == NOTHING_COMPILED
    assert prepared.report().facts == {}
    assert prepared.ran() is None
