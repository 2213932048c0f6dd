"""Suites: TOML files that describe cases, multiplied out into `Case` objects.

A suite is a description, optional settings, and blocks of axes. Each block is multiplied out over its axes, and the
cases of all blocks together, without duplicates, are the plan:

    description = "Depth against batch size"

    [settings]                    # all optional: the fields of `Settings`
    target = "1%"
    budget_s = { cpu = 10, accelerator = 2 }                 # a value, or a table by kind of device

    [[cases]]
    model = ["resnet18", "resnet50"]                         # a value or a list; "all" is every variant
    batch_size = { cpu = [1, 8], accelerator = [1, 256] }    # or a table by kind of device
    image_size = [224, "224x160"]                            # a square in pixels, or height x width

Only ``model`` is required. The other axes default to inference, batch 1, the model's own image size, 3 channels,
``fp32``, ``eager``, ``nchw`` and torch's own number of threads. A kind of device that an axis's table leaves out gets
no case of that block. The built-in suites in ``bench/suites/`` are such files.
"""

import contextlib
import dataclasses
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.machine.device_names import is_cpu
from bench.suites import SUITE_AXES, models
from bench.suites.toml import read_toml, suite_path
from bench.suites.values import (
    DEFAULTS,
    KINDS,
    Kind,
    axis_values,
    change_settings,
    check_keys,
    size_value,
    valid_settings,
    valid_value,
    within,
)
from results.errors import InputError
from results.image_size import sides
from results.schema.axes import AXES
from results.schema.case import Case
from results.schema.lines.run import Settings
from results.schema.types import Text

MOST_CASES: Final = 100_000
"""The most cases of a suite, a day of work at a second each: more are a mistake, refused before they are made."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Values of axes, to be multiplied out."""

    axes: Mapping[str, Mapping[Kind, tuple[Any, ...]]]
    """Values by axis and kind of device; a missing axis has its default."""

    def values(self, axis: str, kind: Kind) -> tuple[Any, ...]:
        """Return the values of `axis` on a kind of device; None is the default of the model or of torch."""
        return self.axes[axis].get(kind, ()) if axis in self.axes else (AXES[axis].default,)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A plan for any device, validated but not yet multiplied out."""

    name: str
    """Name of the built-in suite, or of the file, in the alphabet of run ids."""
    description: str
    settings: Mapping[Kind, Settings] = dataclasses.field(default_factory=lambda: DEFAULTS)
    blocks: tuple[Block, ...]
    written: bool = True
    """Whether its blocks come from a file, so that an error names the block."""

    def __post_init__(self) -> None:
        for kind in KINDS:
            count = sum(math.prod(len(block.values(axis, kind)) for axis in SUITE_AXES) for block in self.blocks)
            if count > MOST_CASES:
                raise InputError(f"{count:,} cases are more than the {MOST_CASES:,} that a suite may have")


def load_suite(name_or_path: str | Path) -> Suite:
    """Return the built-in suite of that name, or the suite in that TOML file.

    Raises:
        InputError: there is no such suite, or its file is not a suite: a line with file, key and choices.
    """
    path = suite_path(name_or_path)
    document = read_toml(path)
    with within(str(path)):
        check_keys(document, ("description", "settings", "cases"))
        blocks = document.get("cases")
        if not isinstance(blocks, list) or not blocks:
            raise InputError("cases: no [[cases]] block says what to measure")
        return Suite(
            name=re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem)[:32],
            description=valid_value(Text, document.get("description", ""), "description"),
            settings=_settings_by_kind(document.get("settings", {})),
            blocks=tuple(_block(block, n) for n, block in enumerate(blocks, start=1)),
        )


def custom_suite(axes: Mapping[str, Sequence[str | int]]) -> Suite:
    """Return the suite of a single block with the given axes, the other axes at their defaults.

    Raises:
        InputError: no model is named, or an axis or a value is wrong.
    """
    if "model" not in axes:
        raise InputError("no model to measure: name one such as 'resnet50', or 'all', or a suite")
    block = Block(axes={axis: axis_values(axis, values) for axis, values in axes.items()})
    return Suite(name="custom", description="One block of axes given by hand", blocks=(block,), written=False)


def choose(
    name_or_path: str | Path | None,
    axes: Mapping[str, Sequence[str | int]],
    settings: Mapping[str, object],
) -> Suite:
    """Return the suite of the command line: a suite with changes (``default`` without arguments), or axes alone.

    Raises:
        InputError: as `load_suite`, `custom_suite`, `override` and `change_settings` do.
    """
    if name_or_path is None and axes:
        suite = custom_suite(axes)
    else:
        suite = override(load_suite("default" if name_or_path is None else name_or_path), axes)
    return sample(suite, settings)


def sample(suite: Suite, changes: Mapping[str, object]) -> Suite:
    """Return `suite` with settings changed, for any kind of device; see `change_settings`."""
    changed = {kind: change_settings(settings, **changes) for kind, settings in suite.settings.items()}
    return dataclasses.replace(suite, settings=changed)


def override(suite: Suite, axes: Mapping[str, Sequence[str | int]]) -> Suite:
    """Return `suite` with `axes` replaced in every block, on any kind of device.

    Raises:
        InputError: an axis or a value is wrong.
    """
    changes = {axis: axis_values(axis, values) for axis, values in axes.items()}
    return dataclasses.replace(suite, blocks=tuple(Block(axes={**block.axes, **changes}) for block in suite.blocks))


def expand(
    suite: Suite,
    *,
    device: str,
    threads: int,
) -> tuple[Case, ...]:
    """Multiply `suite` out for `device`: every case once, in the order of its blocks and of `SUITE_AXES`.

    Args:
        suite: the suite to multiply out.
        device: ``cpu``, or an accelerator such as ``cuda:0``; its kind selects the values of tables.
        threads: threads of the cases whose block states none: torch's own number.

    Raises:
        InputError: an image is too small for its model, or no case is left.
    """
    kind = kind_of(device)
    cases: dict[Case, None] = {}
    for number, block in enumerate(suite.blocks, start=1):
        with within(f"suite {suite.name!r}: [[cases]] {number}") if suite.written else contextlib.nullcontext():
            for values in itertools.product(*(block.values(axis, kind) for axis in SUITE_AXES)):
                cases[_case(dict(zip(SUITE_AXES, values, strict=True)), device, threads)] = None
    if not cases:
        raise InputError(f"suite {suite.name!r} has no case for device {device!r}: its tables leave {kind} out")
    return tuple(cases)


def kind_of(device: str) -> Kind:
    """Return the kind of a device such as ``cpu`` or ``cuda:0``."""
    return "cpu" if is_cpu(device) else "accelerator"


def _settings_by_kind(table: object) -> Mapping[Kind, Settings]:
    if not isinstance(table, dict):
        raise InputError("settings: not a table")
    chosen: dict[Kind, dict[str, object]] = {kind: {} for kind in KINDS}
    for key, value in table.items():
        if isinstance(value, dict):
            with within(f"settings: {key}"):
                check_keys(value, KINDS, "kind of device")
        for kind in KINDS:
            if not isinstance(value, dict):
                chosen[kind][key] = value
            elif kind in value:
                chosen[kind][key] = value[kind]
    return {kind: valid_settings(values, DEFAULTS[kind]) for kind, values in chosen.items()}


def _block(table: object, number: int) -> Block:
    with within(f"[[cases]] {number}"):
        if not isinstance(table, dict):
            raise InputError("not a table")
        check_keys(table, SUITE_AXES)
        if "model" not in table:
            raise InputError("model: missing; name at least one, or 'all'")
        return Block(axes={axis: axis_values(axis, value) for axis, value in table.items()})


def _case(values: dict[str, Any], device: str, threads: int) -> Case:
    values["image_size"] = values["image_size"] or models.default_image_size(values["model"])
    values["threads"] = values["threads"] or threads
    case = Case(device=device, **values)
    _check_image_size(case)
    return case


def check_case(case: Case) -> None:
    """Raise `InputError` unless every axis of a given case has an allowed value."""
    for axis in SUITE_AXES:
        axis_values(axis, getattr(case, axis))
    size = size_value("image_size", case.image_size)
    if size != case.image_size:
        raise InputError(f"image_size: {case.image_size!r} should be {size!r}")
    _check_image_size(case)


def _check_image_size(case: Case) -> None:
    smallest = models.minimum_image_size(case.model)
    if min(sides(case.image_size)) < smallest:
        raise InputError(
            f"image_size: {case.image_size} is too small for {case.model!r}, which needs at least {smallest}"
        )
