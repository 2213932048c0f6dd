import hypothesis
import pytest
import torch
from hypothesis import strategies as st

from resnet.data.labels import class_weights, stratified


def test_weights_are_inverse_to_frequency():
    weights = class_weights(torch.tensor([0, 0, 0, 1]), 2)
    torch.testing.assert_close(weights, torch.tensor([4 / 6, 2.0]))
    assert weights[torch.tensor([0, 0, 0, 1])].mean() == 1


def test_classes_in_balance_weigh_nothing():
    assert class_weights(torch.arange(30) % 3, 3).tolist() == [1, 1, 1]


def test_a_class_without_images_has_no_weight():
    with pytest.raises(ValueError, match="class 1 has no training image"):
        class_weights(torch.tensor([0, 2]), 3)
    with pytest.raises(ValueError, match="out of range"):
        class_weights(torch.tensor([0, 3]), 3)


@hypothesis.given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.data())
def test_classes_keep_their_proportions(labels, data):
    labels = torch.tensor(labels)
    count = data.draw(st.integers(0, len(labels)))
    chosen = stratified(labels, count, seed=0)
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert len(chosen) == count
    for label in range(5):
        share = count / len(labels) * int((labels == label).sum())
        assert abs(int((labels[chosen] == label).sum()) - share) <= 1 + 1e-9


def test_the_seed_decides_the_choice():
    labels = torch.arange(100) % 5
    assert torch.equal(stratified(labels, 20, 0), stratified(labels, 20, 0))
    assert not torch.equal(stratified(labels, 20, 0), stratified(labels, 20, 1))
    assert torch.equal(stratified(labels, 200, 0), torch.arange(100))
