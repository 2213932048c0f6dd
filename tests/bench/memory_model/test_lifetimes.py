import torch

from bench.memory_model.lifetimes import Lifetimes


def test_storages_are_followed_from_allocation_to_release():
    lifetimes = Lifetimes(lambda: ("forward", "conv1"))
    with lifetimes:
        first = torch.ones(4)
        view = first.view(2, 2)
        second = first + 1
        del first
        third = second * 2
        del view, second
    sizes = [(each.bytes, each.end is None) for each in lifetimes.lifetimes]
    assert sizes == [(16, False), (16, False), (16, True)]  # the view kept the first until it went itself
    assert {(each.phase, each.module) for each in lifetimes.lifetimes} == {("forward", "conv1")}
    assert len(lifetimes.moments) == 5
    assert third.numel() == 4


def test_a_tensor_that_was_there_before_can_be_followed():
    lifetimes = Lifetimes(lambda: ("other", None))
    tensor = torch.ones(8)
    once, twice = lifetimes.follow(tensor), lifetimes.follow(tensor)
    assert once is twice
    assert (once.bytes, once.end) == (32, None)
