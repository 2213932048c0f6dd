"""Rows about loading data, measured live: is the advised number of workers good, and are slices as fast as promised?"""

import pathlib
import tempfile

from bench.machine.cpu import usable_cores
from bench.schedule.loading.request import LoadingRequest
from bench.schedule.loading.run import run_loader
from results.analysis.loading import loading_findings
from results.statistics.intervals import across
from tests.bench.loading.photos import write_photos
from tests.selftest.rows import Row

PHOTOS = 400
FEWEST = 0.9
"""Least rate of the advised workers over that of the best."""
FASTER = 3.0
"""Least rate of slices over that of the fastest `DataLoader`."""


def loader(*, quick):
    """Take the advice of a run, and measure all numbers of workers in another; then slices beside a `DataLoader`."""
    seconds = 0.3 if quick else 2.0
    with tempfile.TemporaryDirectory() as folder:
        photos = write_photos(pathlib.Path(folder, "photos"), PHOTOS)
        common = {"data": str(photos), "batch_size": 16, "seconds": seconds}
        advised = _findings(LoadingRequest(**common), folder).workers
        everything = tuple(sorted({0, 1, 2, 4, usable_cores(), 2 * usable_cores(), advised}))
        judged = _findings(LoadingRequest(**common, workers=everything), folder)
        yield _advice(advised, judged)
        for data in ("digits", "fashion-mnist"):
            yield _slices(_findings(LoadingRequest(data=data, model="cifar_resnet20", seconds=seconds), folder))


def _findings(request, folder):
    file = run_loader(request, device="cpu", out=pathlib.Path(folder, "runs"))
    return loading_findings(file.bodies("loading")[0])


def _advice(advised, judged):
    times = {rate.workers: rate.image_s for rate in judged.loading.rates}
    best = max(judged.rates, key=lambda rate: rate.images_per_s.value).workers
    share = 1.0 if advised == best else across([b / a for a, b in zip(times[advised], times[best], strict=True)]).value
    tried = ", ".join(map(str, times))
    what = f"loader: rate with the advised {advised} workers over the best of {tried}"
    return Row(what, f"{share:.1%}, best: {best}", f"≥ {FEWEST:.0%}", share >= FEWEST)


def _slices(findings):
    ratio = findings.slices_ratio
    kept = True if ratio.low >= FASTER else None if ratio.high >= FASTER else False
    figure = f"{ratio.value:.1f} [{ratio.low:.1f}, {ratio.high:.1f}]"
    return Row("loader: slices over the fastest DataLoader", figure, f"≥ {FASTER:g}", kept, findings.loading.data)
