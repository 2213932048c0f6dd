import sys

import pytest
import torch

from resnet.data.sources.content import Request
from resnet.data.sources.digits import load_digits


def test_digits_fill_the_range_of_pixels():
    datasets = pytest.importorskip("sklearn.datasets")
    content = load_digits(Request())
    images, labels = datasets.load_digits(return_X_y=True)
    assert content.validation is None
    assert torch.equal(content.train.labels, torch.from_numpy(labels).long())
    expected = torch.from_numpy(images).reshape(-1, 1, 8, 8) / 16 * 255
    assert float((content.train.images - expected).abs().max()) <= 0.5


def test_without_scikit_learn_the_message_has_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ValueError, match="pip install scikit-learn"):
        load_digits(Request())
