"""Agreement of a quantized network with itself in fp32, on real images that it was not trained on.

Speed alone would hide what 8 bits cost, and the weights of a timed case are random. So the settings of the case, its
runtime and its quantizer, run a network that this project trained, which is right on 93.1 % of the test images:

    resnet-bench train cifar_resnet20 --data fashion-mnist --recipe fast --precision amp-bf16 --epochs 11

Its scales come from training images.
"""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any, Final

import torch
from msgspec import structs

from bench.measure.device import open_device
from bench.runtimes import engine_of
from resnet import Classifier
from resnet.data import Batches, DataSet, load_data
from results.schema.case import Case
from results.schema.labels import LAYOUTS
from results.schema.lines.record import Agreement
from results.schema.types import known

NETWORK: Final = pathlib.Path(__file__).with_name("networks") / "fashion_mnist_cifar_resnet20.safetensors"
DATA: Final = "fashion-mnist"
BATCH: Final = 250
"""Images of a step, and of the calibration."""


def measure_agreement(case: Case, data: DataSet | None = None) -> Agreement:
    """Return how the trained network answers in the settings of `case`.

    Args:
        case: a case that quantizes.
        data: images of garments; Fashion-MNIST if None.

    Raises:
        ValueError: the images are not on this machine; the message says where to get them.
    """
    data = data or load_data(DATA)
    classifier = Classifier.load(NETWORK)
    trial = structs.replace(
        case,
        model="cifar_resnet20",
        batch_size=BATCH,
        image_size=classifier.image_size,
        in_channels=data.in_channels,
        head="classifier",
    )
    torch.set_num_threads(known(case.threads))
    layout = getattr(torch, LAYOUTS[case.layout])
    network = classifier.network.eval().to(memory_format=layout)
    images, _ = next(_batches(data, "train", classifier).epoch(1))
    images = images.contiguous(memory_format=layout)
    engine, device = engine_of(case.runtime), open_device(case.device)
    prepared = engine.prepare(trial, network, images, device=device, cache=None)
    with torch.inference_mode():
        prepared.forward()  # quantizes, with scales from these images

    def ask(batch: torch.Tensor) -> Any:
        prepared.feed(batch)
        return prepared.forward()

    return _counted(network, ask, _batches(data, "validation", classifier))


def _batches(data: DataSet, part: str, classifier: Classifier) -> Batches:
    """Return whole batches of the training or validation images, as the network takes them."""
    own = dataclasses.replace(data, mean=classifier.mean, std=classifier.std)
    return Batches(getattr(data, part), own, batch_size=BATCH, seed=0, shuffle=part == "train", drop_last=True)


def _counted(network: torch.nn.Module, ask: Callable[[torch.Tensor], Any], batches: Batches) -> Agreement:
    images = agreed = lost = gained = right = 0
    with torch.inference_mode():
        for batch, labels in batches.epoch(0):
            expected, given = network(batch).argmax(1), torch.as_tensor(ask(batch)).argmax(1)
            reference, own = expected == labels, given == labels
            images += len(labels)
            agreed += int((given == expected).sum())
            lost += int((reference & ~own).sum())
            gained += int((~reference & own).sum())
            right += int(reference.sum())
    return Agreement(
        network=f"cifar_resnet20 on {DATA}",
        images=images,
        agreed=agreed,
        lost=lost,
        gained=gained,
        reference_correct=right,
    )
