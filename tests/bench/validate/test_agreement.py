import pytest
import torch

from bench.validate import agreement as module
from bench.validate.agreement import BATCH, NETWORK, measure_agreement
from resnet import Classifier
from resnet.data import load_data
from tests.bench.runtimes.engines import small


@pytest.fixture(scope="module")
def garments():
    try:
        return load_data("fashion-mnist", limit=4 * BATCH)
    except ValueError as missing:
        pytest.skip(str(missing))


def test_the_network_is_ours_and_trained(garments):
    classifier = Classifier.load(NETWORK)
    assert (len(classifier.classes), classifier.image_size) == (10, 28)
    assert classifier.evaluate(garments).accuracy > 0.9


def test_eager_agrees_with_itself(make_case, garments):
    counted = measure_agreement(small(make_case), garments)
    assert (counted.images, counted.agreed, counted.lost, counted.gained) == (4 * BATCH, 4 * BATCH, 0, 0)
    assert counted.reference_correct > 0.9 * counted.images


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_8_bits_agree_nearly_always(make_case, garments, runtime):
    pytest.importorskip(runtime, reason="an extra is not installed")
    counted = measure_agreement(small(make_case, runtime=runtime, precision="int8"), garments)
    assert 0.95 < counted.agreed / counted.images <= 1
    assert counted.lost - counted.gained < 0.02 * counted.images


def test_a_broken_network_loses_what_it_should(make_case, garments, monkeypatch):
    class Blind:
        def prepare(self, case, network, images, **_):
            class Prepared:
                def feed(self, batch):
                    pass

                def forward(self):
                    return torch.eye(10)[torch.zeros(BATCH, dtype=torch.long)]

            return Prepared()

    monkeypatch.setattr(module, "engine_of", lambda _: Blind())
    counted = measure_agreement(small(make_case), garments)
    assert counted.agreed < 0.2 * counted.images
    assert counted.lost > 0.7 * counted.images


def test_without_the_images_the_message_says_where_to_get_them(make_case, monkeypatch):
    def missing(*_, **__):
        raise ValueError("no files of Fashion-MNIST here: install Debian's package")

    monkeypatch.setattr(module, "load_data", missing)
    with pytest.raises(ValueError, match="install"):
        measure_agreement(small(make_case))
