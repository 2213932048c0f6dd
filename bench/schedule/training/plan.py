"""The plan of a run that trains, and the folder in which it lies with the checkpoints, so that the run can go on."""

import dataclasses
import pathlib
import shutil
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from bench.process.training.messages import DataChoice
from results.errors import InputError
from results.schema.lines.training import Training
from results.schema.types import Count, Patience
from results.schema.validation import InvalidError, validated
from results.storage.files import replace

_PLAN: Final = "plan.json"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """Everything that a run that trains needs beside its run file."""

    trainings: tuple[Training, ...]
    data: DataChoice
    workers: Count = 0
    """Processes that load images."""
    until: Annotated[float, Meta(gt=0, le=1)] | None = None
    """Validation accuracy at which a training stops."""
    timeout_s: Patience = 600.0
    """Seconds without an answer after which a worker counts as hung."""
    time_limit_s: Patience | None = None
    """Seconds for the whole command."""


class TrainingFiles:
    """The files of a run that trains: plan and checkpoints in a folder next to the run file, and trained networks."""

    def __init__(self, run_file: pathlib.Path) -> None:
        self.run_file = run_file
        self.folder = run_file.with_suffix(".checkpoints")

    def checkpoint(self, number: int) -> pathlib.Path:
        """Return the path of the checkpoint of a training."""
        return self.folder / f"training-{number}.safetensors"

    def network(self, number: int) -> pathlib.Path:
        """Return the path of the network that a training makes."""
        return self.run_file.with_name(f"{self.run_file.stem}-{number}.safetensors")

    def name(self, path: pathlib.Path) -> str:
        """Return a path as a run file states it: relative to the run file's folder."""
        return str(path.relative_to(self.run_file.parent))

    def write(self, plan: TrainingPlan) -> None:
        """Write the plan. Raises `InputError` where the disk refuses."""
        try:
            self.folder.mkdir()
        except OSError as error:
            raise InputError(f"cannot make {str(self.folder)!r}: {error.strerror}; choose another --out") from None
        replace(self.folder / _PLAN, msgspec.json.encode(plan), "the checkpoints")

    def read(self) -> TrainingPlan:
        """Return the plan. Raises `InputError` where it is not there, or is damaged."""
        path = self.folder / _PLAN
        try:
            return validated(msgspec.json.decode(path.read_bytes()), TrainingPlan)
        except OSError as error:
            raise InputError(
                f"{self.run_file} cannot go on without its plan: {path}: {error.strerror}; start again"
            ) from None
        except (msgspec.DecodeError, InvalidError) as error:
            raise InputError(f"{self.run_file} cannot go on, as its plan is damaged: {path}: {error}") from None

    def clean(self) -> None:
        """Remove what only going on needs: the plan, and the folder unless a checkpoint was left in it."""
        (self.folder / _PLAN).unlink(missing_ok=True)
        for part in self.folder.glob("*.part"):  # of a process that was killed while it wrote a checkpoint
            part.unlink()
        if not any(self.folder.iterdir()):
            shutil.rmtree(self.folder)
