"""Made-up measurements of loading."""

from results.schema.lines.loading import Loading, LoadingRate, LoadingStage
from tests.conftest import _case

STEADY = (1.0,) * 3


def stage(name, image_s, noise=STEADY):
    """A stage that takes so many seconds of an image; None for a stage that there is not."""
    return LoadingStage(name=name, image_s=None if image_s is None else tuple(image_s * each for each in noise))


def rate(*, workers, per_s, path="DataLoader", noise=STEADY, first_batch_s=None):
    """A path that gives so many images a second."""
    first = (0.1,) * len(noise) if first_batch_s is None else first_batch_s
    return LoadingRate(path=path, workers=workers, first_batch_s=first, image_s=tuple(each / per_s for each in noise))


STAGES = (
    stage("read", 2e-5),
    stage("decode", 3e-3),
    stage("transform", 1e-3),
    stage("collate", 1e-4),
    stage("transfer", None),
    stage("augment", 1e-4),
)


def loading(*, rates=None, stages=STAGES, network_per_s=2400, noise=STEADY, nulls=None, **fields):
    """A folder of JPEGs: 450 images a second without workers, 900 with two; resnet18 takes 2,400."""
    usual = {
        "data": "photos",
        "images": 1000,
        "sample": 512,
        "image_bytes": 96_000,
        "decoder": "Pillow 12.0",
        "network": _case(model="resnet18", task="training", batch_size=64),
        "network_image_s": tuple(each / network_per_s for each in noise),
        "stages": tuple(stages),
        "rates": tuple(rates or (rate(workers=0, per_s=450), rate(workers=2, per_s=900))),
        "started": "2026-11-27T05:00:00+00:00",
        "duration_s": 30.0,
        "nulls": nulls or {"transfer": "the CPU is the device: nothing is transferred"},
    }
    return Loading(**{**usual, **fields})
