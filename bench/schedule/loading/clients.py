"""The parent's side of the two workers of `loader`: one loads, the other holds the network."""

import os
from typing import Final

from msgspec import structs

from bench.process import ask
from bench.process.client import WorkerClient
from bench.process.forkserver import ForkServer, WorkerDied
from bench.process.loading import DataOpened, OpenData
from bench.process.messages import Answer, Request
from bench.process.protocol import Failed, Refused
from bench.schedule.loading.request import LoadingRequest
from bench.schedule.run import private_folder
from bench.suites.values import DEFAULTS
from results.errors import InputError
from results.schema.case import Case

LOADING_PATIENCE_S: Final = 600.0
"""The most seconds of an answer, besides those that are timed."""
_MOST_STEPS: Final = 1000
"""The most steps of a turn of the network."""


class LoadingFailed(Exception):  # noqa: N818 - an outcome, whose message is for people
    """The loading could not be measured, for a cause that is not in the input."""


class LoaderClient:
    """The worker that loads."""

    def __init__(self, channel: ask.Channel) -> None:
        self._channel = channel

    def open(self, request: LoadingRequest, device: str, threads: int) -> DataOpened:
        """Open the data, and load its sample once."""
        path = None if request.path is None else os.fspath(request.path.absolute())
        return self.answer(
            OpenData(
                data=request.data,
                path=path,
                image_size=request.image_size,
                batch_size=request.batch_size,
                device=device,
                threads=threads,
                decoder=request.decoder,
            ),
            LOADING_PATIENCE_S,
        )

    def answer(self, request: Request[Answer], timeout_s: float) -> Answer:
        """Return the answer of the worker; raise `InputError` where it refuses, else `LoadingFailed`."""
        try:
            return ask.ask(self._channel, request, timeout_s=timeout_s)
        except Refused as refusal:
            raise InputError(refusal.cause) from None
        except (Failed, WorkerDied) as failure:
            raise LoadingFailed(f"the loading could not be measured: {failure}") from failure


class NetworkClient:
    """The network in a worker of its own, whose steps train on random images that lie on the device."""

    def __init__(self, server: ForkServer, case: Case, seconds: float) -> None:
        settings = structs.replace(DEFAULTS["cpu"], timeout_s=LOADING_PATIENCE_S + seconds)
        self._client = WorkerClient(server, case, 0, settings)
        self._seconds = seconds
        self._case = case
        self._step_s: float | None = None
        self.image_s: list[float] = []
        self.cause: str | None = None
        """Why it could not be measured."""

    def measure(self) -> None:
        """Add the seconds of an image in a step; after a failure do nothing."""
        if self.cause is not None:
            return
        try:
            if self._step_s is None:
                with private_folder() as folder:
                    self._client.prepare(folder)
                self._step_s = self._client.turn(steps=1, drop=1).wall_s
            steps = max(1, min(_MOST_STEPS, round(self._seconds / self._step_s)))
            self._step_s = self._client.turn(steps=steps, drop=1).wall_s
            self.image_s.append(self._step_s / self._case.batch_size)
        except Failed as failure:
            self.cause = failure.cause

    def close(self) -> None:
        """End the worker."""
        self._client.close()
