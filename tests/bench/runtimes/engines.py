"""A case of an engine, through all that a worker does with it."""

import dataclasses

from bench.process.messages import CheckEquality, Finish, Prepare, TakeTurn
from bench.worker.serve import WorkerServer


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What a worker answered."""

    ready: object
    turn: object
    finished: object
    equality: object


def live(case, folder, *, check=True):
    """Return what a worker of the case answers whose cache is `folder`."""
    worker = WorkerServer()
    (folder / "cache").mkdir(exist_ok=True, parents=True)
    ready = worker.prepare(Prepare(case=case, cache=str(folder / "cache"), token="its own"))  # noqa: S106
    turn = worker.turn(TakeTurn(steps=2, drop=1))
    finished = worker.finish(Finish())
    references = folder / "references"
    references.mkdir(exist_ok=True)
    equality = worker.check(CheckEquality(folder=str(references))).equality if check else None
    return Lived(ready=ready, turn=turn, finished=finished, equality=equality)


def small(make_case, **axes):
    """Return a case that is prepared in a second or two."""
    usual = {"model": "cifar_resnet20", "image_size": 32, "batch_size": 2, "threads": 1}
    return make_case(**{**usual, **axes})
