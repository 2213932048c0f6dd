import pytest
import torch
from torch import nn

from bench.suites import models
from bench.tasks import draws
from bench.tasks.draws import QuickDraws
from bench.tasks.networks import create_network
from bench.tasks.workload import build, network

INITS = {
    "kaiming_normal": lambda tensor: nn.init.kaiming_normal_(tensor, mode="fan_out", nonlinearity="relu"),
    "kaiming_uniform": lambda tensor: nn.init.kaiming_uniform_(tensor, a=5**0.5),
    "xavier_normal": nn.init.xavier_normal_,
    "xavier_uniform": nn.init.xavier_uniform_,
    "normal": lambda tensor: nn.init.normal_(tensor, 0.5, 0.01),
    "uniform": lambda tensor: nn.init.uniform_(tensor, -1, 3),
    "trunc_normal": lambda tensor: nn.init.trunc_normal_(tensor, std=0.02),
    "method normal_": lambda tensor: tensor.data.normal_(0, 0.3),
    "method uniform_": lambda tensor: tensor.data.uniform_(-0.1, 0.1),
}


def drawn(init, *, quick, **options):
    torch.manual_seed(0)
    tensor = nn.Parameter(torch.empty(64, 32, 7, 7, **options))
    if quick:
        with QuickDraws():
            returned = init(tensor)
    else:
        returned = init(tensor)
    assert returned.data_ptr() == tensor.data_ptr()
    return tensor.detach()


@pytest.mark.parametrize("name", INITS)
def test_weights_have_the_scale_of_the_usual_weights(name):
    quick, usual = (drawn(INITS[name], quick=quick) for quick in (True, False))
    assert quick.std().item() == pytest.approx(usual.std().item(), rel=0.03)
    assert quick.mean().item() == pytest.approx(usual.mean().item(), abs=0.03 * usual.std().item())
    assert torch.isfinite(quick).all()


def test_the_same_seed_gives_the_same_weights_and_no_two_filters_are_alike():
    quick = [drawn(INITS["kaiming_normal"], quick=True) for _ in range(2)]
    assert torch.equal(*quick)
    filters = quick[0].flatten(1)
    assert len({tuple(row[:4].tolist()) for row in filters}) == len(filters)


def test_more_numbers_than_the_supply_are_drawn_again(monkeypatch):
    monkeypatch.setattr(draws, "DRAWN", 101)
    weights = drawn(INITS["normal"], quick=True).flatten()
    assert torch.equal(weights[:101], weights[101:202])
    assert not torch.equal(weights[:100], weights[100:200])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_types_are_drawn_as_usual(dtype):
    with QuickDraws():
        torch.manual_seed(0)
        quick = nn.init.normal_(torch.empty(8, 8, dtype=dtype))
    torch.manual_seed(0)
    assert quick.dtype == dtype
    assert torch.equal(quick, nn.init.normal_(torch.empty(8, 8, dtype=dtype)))


def test_tensors_that_are_not_contiguous_or_have_no_memory_are_left_to_torch():
    with QuickDraws():
        tensor = torch.zeros(6, 4).t()
        nn.init.normal_(tensor)
        assert torch.nn.init.normal_(torch.empty(4, 4, device="meta")).shape == (4, 4)
    assert (tensor != 0).all()


def test_other_functions_are_those_of_torch():
    with QuickDraws():
        assert torch.equal(nn.init.ones_(torch.empty(3)), torch.ones(3))
        assert torch.equal(torch.arange(3) + 1, torch.tensor([1, 2, 3]))


@pytest.mark.parametrize(
    "name", ["cifar_resnet20", "preact_resnet18", "torchvision:googlenet", "torchvision:convnext_tiny"]
)
def test_networks_have_the_usual_shapes_and_finite_results(name):
    with QuickDraws():
        quick = create_network(name)
    with torch.device("meta"):
        usual = create_network(name)
    shapes = [{key: value.shape for key, value in module.state_dict().items()} for module in (quick, usual)]
    assert shapes[0] == shapes[1]
    size = models.minimum_image_size(name)
    with torch.inference_mode():
        assert torch.isfinite(quick.eval()(torch.randn(1, 3, size, size))).all()


def test_a_timed_case_has_quick_weights_and_a_checked_case_the_usual(tiny):
    case = tiny()
    quick, usual, timed = network(case, quick=True), network(case), build(case).module
    weights = [dict(module.named_parameters())["conv1.weight"] for module in (quick, usual, timed)]
    assert torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[0], weights[1])
