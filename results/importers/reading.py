"""The parts that importers share: a file read whole, options, devices, and the imported run."""

import dataclasses
import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import structs

from results.errors import InputError
from results.schema.axes import AXES
from results.schema.case import Case
from results.schema.lines.record import Record
from results.schema.lines.run import UNKNOWN_ACCELERATOR, Accelerator, Environment, RunHeader, Source
from results.schema.types import Stored
from results.text import printable

MAX_FILE_BYTES: Final = 256 * 2**20
"""A larger file is no table of benchmarks, and would fill the memory."""
SILENT: Final = "its source does not state it"
"""Reason of a missing value of an imported run, where no other reason is known."""

_ACCELERATORS: Final = {"cuda": "cuda", "gpu": "cuda", "hip": "cuda", "rocm": "cuda"} | {
    name: name for name in ("mps", "xpu", "hpu", "npu", "mtia", "xla", "tpu")
}
"""Torch's types of accelerators by what people call them; torch calls those of AMD ``cuda`` too."""
_EXAMPLES: Final = {"image_size": "224", "device": "cpu"}
"""Values for a hint, of axes without a default."""
_LONGEST: Final = 128
"""Characters of `results.schema.types.Name`."""
_NAMED: Final = 3
"""The most positions that a line for a person names."""

Tell = Callable[[str], None]
"""Takes a line for a person about something that is not imported."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Facts that a person adds to a file; they take precedence over the file's name."""

    axes: Mapping[str, str | int] = dataclasses.field(default_factory=dict)
    """Values of axes that the file does not state, by the axis; never of ``device``, which has its own option."""
    torch: str | None = None
    device: str | None = None
    """Name of the accelerator, or of the CPU where the file states that it is one; ``cpu:NAME`` says that it is."""
    only_known: bool = False
    """Whether to leave out models that are not our variants."""
    accuracy: Path | None = None
    """timm's table of ImageNet results."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A run as a file states it."""

    run: RunHeader
    records: tuple[Record, ...]
    positions: tuple[str, ...]
    """The position of each record in the file, such as ``line 7``."""
    bodies: tuple[Stored, ...] = ()
    """Bodies of other lines, such as profiles."""


@dataclasses.dataclass(frozen=True)
class Content:
    """A file from outside, read once."""

    path: Path
    data: bytes

    @functools.cached_property
    def sha256(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def name(self) -> str:
        """The file's path as it can be shown on one line."""
        return printable(str(self.path))

    def source(self, fmt: str) -> Source:
        """Return the source of a run that is imported from this file."""
        return Source(format=fmt, file=printable(self.path.name)[:128], sha256=self.sha256)

    def run_id(self) -> str:
        """Return an id from the file's name and content: the same file gives the same run."""
        word = re.sub(r"[^A-Za-z0-9._-]+", "-", self.path.stem)[:55].strip(".-") or "import"
        return f"{word}-{self.sha256[:8]}"

    def text(self) -> str:
        """Return the content as text, without the mark that some programs put before it.

        Raises:
            InputError: It is not UTF-8, or holds NUL.
        """
        try:
            text = self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.data.count(b"\n", 0, error.start) + 1
            raise InputError(f"{self.name} line {line}: not UTF-8 text; save it as UTF-8") from None
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            raise InputError(f"{self.name} line {line}: holds a NUL character, so this is no text file")
        return text


def read_content(path: str | Path) -> Content:
    """Read a whole file.

    Raises:
        InputError: There is none, it is no regular file, or larger than `MAX_FILE_BYTES`.
    """
    path = Path(path)
    shown = printable(str(path))
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for, and a device may never end
            raise InputError(f"{shown} is no regular file")
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"there is no file {shown}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {shown}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"{shown} is larger than {MAX_FILE_BYTES // 2**20} MiB; split it")
    return Content(path, data)


def unknown_environment(
    *,
    cpu: str | None = None,
    torch: str | None = None,
    cuda: str | None = None,
    accelerators: Mapping[str, str | None] | None = None,
    **known: str | int | None,
) -> Environment:
    """Return an environment with the given facts; other fields are null.

    Args:
        cpu: its name.
        torch: the version of PyTorch.
        cuda: the version of CUDA that torch was built with.
        accelerators: names by device, such as ``cuda:0``; None where the name is unknown.
        known: ``logical_cores``, ``os``, ``kernel`` and ``python``.
    """
    stated = {name: value for name, value in {"cpu": cpu, "torch": torch, **known}.items() if value is not None}
    empty = {"cpu_flags": (), "torch_build": {"cuda": cuda} if cuda else {}, "variables": {}}
    cards = tuple(
        Accelerator(device=device, name=name or UNKNOWN_ACCELERATOR, memory_bytes=None)
        for device, name in (accelerators or {}).items()
    )
    rest = {field.name for field in structs.fields(Environment)} - {*empty, *stated, "accelerators", "nulls"}
    nulls = dict.fromkeys(sorted(rest), SILENT)
    values = dict.fromkeys(nulls) | empty | stated
    return Environment(accelerators=cards, nulls=nulls, **values)  # type: ignore[arg-type] # checked as the run is written


def torch_device(word: str) -> str | None:
    """Return torch's name of a device with its index: ``cuda:0`` for ``cuda`` or ``GPU``; None for any other text."""
    kind, _, index = word.strip().lower().partition(":")
    if kind == "cpu":
        return "cpu"
    known = kind in _ACCELERATORS and (index.isdecimal() or not index)
    return f"{_ACCELERATORS[kind]}:{index or 0}" if known else None


def device_and_chip(option: str, known: str | None) -> tuple[str, str | None]:
    """Return the device that ``--device`` names, and what it is called: ``RTX 3090``, or ``cpu:AMD EPYC 9B14``.

    A bare name is that of the device which the file states (`known`), else of an accelerator. ``cuda`` and the like
    name a device only, whose own name stays unknown.
    """
    kind, colon, name = option.partition(":")
    if kind == "cpu" and (colon or not name):
        return "cpu", name or None
    device = torch_device(option)
    if device is not None:
        return device, None
    if kind in _ACCELERATORS:
        return f"{_ACCELERATORS[kind]}:0", name
    return known or "cuda:0", option or None


def settled_device(where: str, option: str, stated: str | None, *, mixed: bool) -> tuple[str, str | None]:
    """Return the device and its name, where a file may state the device, and ``--device`` is given.

    Args:
        where: the position, for messages.
        option: the value of ``--device``.
        stated: the device that the file states.
        mixed: whether the file states CPUs and accelerators: the option then names those of its kind.

    Raises:
        InputError: The option is a device of another kind than all of the file.
    """
    device, chip = device_and_chip(option, stated)
    if stated is None:
        return device, chip
    if (device == "cpu") != (stated == "cpu"):
        if not mixed:
            raise InputError(
                f"{where}: its device is {stated}, and --device {option} is another; leave the option out, or give "
                "the name of the device"
            )
        return stated, None
    bare = device_and_chip(option, None)[0] != "cpu"
    return stated, None if stated == "cpu" and bare and mixed else chip


def short_name(name: str) -> str:
    """Return a name that fits the schema; the end of a longer name gives way to a digest of all of it."""
    shown = printable(name)
    if len(shown) <= _LONGEST:
        return shown
    return f"{shown[: _LONGEST - 9]}~{hashlib.sha256(shown.encode()).hexdigest()[:8]}"


def missing(name: str, axes: Iterable[str], where: str) -> InputError:
    """Return the error that lists all axes which neither a file nor options state, with the options to give.

    Args:
        name: the file.
        axes: the axes.
        where: the parts of the file that could state them, such as ``extra_info nor params``.
    """
    wanted = [axis for axis in AXES if axis in {*axes}]
    options = " ".join(
        f"--{axis.replace('_', '-')} {AXES[axis].default or _EXAMPLES.get(axis, axis.upper())}" for axis in wanted
    )
    return InputError(
        f"{name}: {', '.join(wanted)}: stated in neither {where}; give what holds for this file, in the form {options}"
    )


def positions_text(positions: Sequence[str]) -> str:
    """Return the first of `positions` in a line, and how many more there are."""
    more = f" and {len(positions) - _NAMED} more" if len(positions) > _NAMED else ""
    return ", ".join(positions[:_NAMED]) + more


def check_new(case: Case, seen: dict[Case, str], position: str) -> str | None:
    """Note the position of `case`, or return what is wrong: another position has it already."""
    if case in seen:
        return f"the same case as {seen[case]} ({printable(case.key)})"
    seen[case] = position
    return None
