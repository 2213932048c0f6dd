import torch

from bench.tasks.workload import build


def test_inference_has_one_phase_and_leaves_the_network_as_it_is(tiny):
    workload, marks = build(tiny()), []
    before = {name: tensor.clone() for name, tensor in workload.module.state_dict().items()}
    with workload.context():
        workload.step(lambda: marks.append(1))
    assert workload.phases == ()
    assert marks == []
    assert all(torch.equal(tensor, before[name]) for name, tensor in workload.module.state_dict().items())
    assert not workload.module.training


def test_autocast_covers_the_forward_pass_and_ends_with_it(tiny):
    for label, dtype in (("fp32", torch.float32), ("amp-bf16", torch.bfloat16), ("bf16", torch.bfloat16)):
        workload = build(tiny(precision=label))
        with workload.context():
            assert workload.step(lambda: None).dtype == dtype
        assert not torch.is_autocast_enabled("cpu")
