"""The parent's side of a training: requests to its worker."""

import dataclasses
import secrets
from typing import Final

from msgspec import structs

from bench.machine import memory
from bench.machine.device_names import is_cpu
from bench.machine.energy.meter import EnergyMeter, card_counters, cpu_counters
from bench.process.ask import Channel, ask, failure_of
from bench.process.forkserver import SERVE, ForkServer, WorkerDied
from bench.process.messages import Answer, Request
from bench.process.protocol import Failed
from bench.process.training.messages import (
    BeginTraining,
    DataChoice,
    SaveNetwork,
    SaveTraining,
    TrainedOn,
    TrainingBegun,
    TrainOn,
)
from results.schema.lines.training import Epoch, Training

_RESUMED: Final = "the training went on in this epoch, from the checkpoint of an earlier process"


class TrainingClient:
    """A training in its own worker."""

    def __init__(self, server: ForkServer, training: Training, *, timeout_s: float, target: str = SERVE) -> None:
        """Start the worker; `begin` builds the training in it."""
        self.training = training
        self._timeout_s = timeout_s
        self._oom_kills = memory.kernel_oom_kills()
        self._channel: Channel = server.spawn(target)
        self._token = secrets.token_hex(8)
        self._meter: EnergyMeter | None = None
        self._resumed = False
        """Whether an earlier process may have trained a part of the next epoch."""
        self._between = False
        """Whether no step was made since the end of an epoch."""

    def begin(self, data: DataChoice, *, workers: int, checkpoint: str | None, cache: str) -> TrainingBegun:
        """Build the training, or go on from a checkpoint. Raises `Failed`."""
        begun = self._ask(
            BeginTraining(
                training=self.training,
                data=data,
                workers=workers,
                checkpoint=checkpoint,
                cache=cache,
                token=self._token,
            )
        )
        self._resumed = checkpoint is not None
        cpu = is_cpu(self.training.case.device)
        self._meter = EnergyMeter(cpu_counters() if cpu else card_counters(begun.identity))
        return begun

    def go_on(self, seconds: float) -> TrainedOn:
        """Train for some seconds, or to the end of the epoch. Raises `Failed`."""
        if self._between and self._meter is not None:
            self._meter.restart()  # a checkpoint was written since the end of the epoch
        self._between = False
        trained = self._ask(TrainOn(seconds=seconds))
        if self._meter is not None:
            self._meter.tick()
        if trained.finished is None:
            return trained
        if trained.finished.training != self.training.number:
            raise Failed("error", "its worker answered with the epoch of another training")
        self._between = True
        return dataclasses.replace(trained, finished=self._with_energy(trained.finished))

    def save(self, path: str) -> None:
        """Write a checkpoint. Raises `Failed`; an earlier checkpoint stays then."""
        self._ask(SaveTraining(path=path))

    def save_network(self, path: str) -> None:
        """Write the trained network. Raises `Failed`."""
        self._ask(SaveNetwork(path=path))

    def close(self) -> None:
        """End the worker. Safe to call twice."""
        self._channel.close()

    def _with_energy(self, epoch: Epoch) -> Epoch:
        joules, reason = (None, "no counter was read") if self._meter is None else self._meter.joules()
        if self._resumed:
            joules, reason = None, _RESUMED
        self._resumed = False
        if joules is not None:
            return structs.replace(epoch, energy_j=joules)
        return structs.replace(epoch, nulls=epoch.nulls | {"energy_j": reason or "unknown"})

    def _ask(self, request: Request[Answer]) -> Answer:
        try:
            return ask(self._channel, request, timeout_s=self._timeout_s, token=self._token)
        except WorkerDied as death:
            raise failure_of(death, self._oom_kills) from death
