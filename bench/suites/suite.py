"""Suites: TOML files that say which cases to measure, multiplied out into `Case` objects.

A suite is a description, optional settings, and blocks of axes. Each block is multiplied out over its axes, and the
cases of all blocks together, each once, are the plan:

    description = "Depth against batch size"

    [settings]                    # all optional: replicates, target, budget_s, timeout_s, time_limit_s
    target = "1%"
    budget_s = { cpu = 10, accelerator = 2 }                 # a value, or a table by kind of device

    [[cases]]
    model = ["resnet18", "resnet50"]                         # a value or a list; "all" is every variant
    batch_size = { cpu = [1, 8], accelerator = [1, 256] }    # or a table by kind of device

Only ``model`` is required. The other axes default to inference, batch 1, the model's own image size, ``fp32``,
``eager``, ``nchw`` and as many threads as torch takes by itself. A kind of device that an axis's table leaves out
gets no case of that block. The built-in suites in ``bench/suites/`` are such files, and nothing more.
"""

import contextlib
import dataclasses
import itertools
import math
import re
import reprlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, get_type_hints

from bench.suites import SUITE_AXES, models
from results.errors import InputError, suggestion
from results.schema.axes import AXES, check_choice
from results.schema.case import Case
from results.schema.run import Settings
from results.schema.types import Text
from results.schema.validation import InvalidError, validated

Kind = Literal["cpu", "accelerator"]
KINDS: Final[tuple[Kind, ...]] = ("cpu", "accelerator")

ALL: Final = "all"
"""Stands for every variant of `resnet.VARIANTS` wherever a suite or an option names a model."""
DEFAULTS: Final = Settings(replicates=1, target=0.01, budget_s=5.0, timeout_s=600.0, time_limit_s=None)
"""How a suite samples where it does not say."""
MOST_CASES: Final = 100_000
"""More than this, a day of work at a second each, are a slip of the hand: refused before they are multiplied out."""

_FOLDER: Final = Path(__file__).parent
_LARGEST_BYTES: Final = 100_000  # A suite is written by hand; more is the wrong file.
_LONGEST_LINE: Final = 10_000  # tomllib's time is quadratic in the parts of a dotted key: for 100 kB of them, minutes.


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Values of axes, to be multiplied out."""

    axes: Mapping[str, Mapping[Kind, tuple[Any, ...]]]
    """Values by axis and kind of device; an axis that is missing has its default."""

    def values(self, axis: str, kind: Kind) -> tuple[Any, ...]:
        """Return the values of `axis` on a kind of device; None stands for the model's, or torch's, own value."""
        return self.axes[axis].get(kind, ()) if axis in self.axes else (AXES[axis].default,)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A plan for any device, validated but not yet multiplied out."""

    name: str
    """Name of the built-in suite, or of the file, in the alphabet of run ids."""
    description: str
    settings: Mapping[Kind, Settings] = dataclasses.field(default_factory=lambda: dict.fromkeys(KINDS, DEFAULTS))
    blocks: tuple[Block, ...]
    written: bool = True
    """Whether its blocks stand in a file, where an error can point to them."""

    def __post_init__(self) -> None:
        for kind in KINDS:
            count = sum(math.prod(len(block.values(axis, kind)) for axis in SUITE_AXES) for block in self.blocks)
            if count > MOST_CASES:
                raise InputError(f"{count:,} cases are more than the {MOST_CASES:,} that a suite may have")


def builtin_suites() -> dict[str, str]:
    """Return the description of each built-in suite by its name."""
    return {path.stem: _read(path)["description"] for path in sorted(_FOLDER.glob("*.toml"))}


def load_suite(name_or_path: str | Path) -> Suite:
    """Return the built-in suite of that name, or the suite in that TOML file.

    Raises:
        InputError: there is no such suite, or its file is not a suite: one line with file, key and choices.
    """
    name = str(name_or_path)
    builtin = {path.stem: path for path in _FOLDER.glob("*.toml")}
    path = builtin.get(name, Path(name))
    if name not in builtin and path.suffix != ".toml":
        raise InputError(
            f"unknown suite {name!r}{suggestion(name, builtin)} "
            f"(choices: {', '.join(sorted(builtin))}, or the path of a .toml file)"
        )
    document = _read(path)
    with _within(str(path)):
        _check_keys(document, ("description", "settings", "cases"))
        blocks = document.get("cases")
        if not isinstance(blocks, list) or not blocks:
            raise InputError("cases: no [[cases]] block says what to measure")
        return Suite(
            name=re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem)[:32],
            description=_validate(Text, document.get("description", ""), "description"),
            settings=_settings_by_kind(document.get("settings", {})),
            blocks=tuple(_block(block, n) for n, block in enumerate(blocks, start=1)),
        )


def custom_suite(axes: Mapping[str, Sequence[str | int]]) -> Suite:
    """Return the suite of one block that `axes` describe, the other axes at their defaults.

    Raises:
        InputError: no model is named, or an axis or a value is wrong.
    """
    if "model" not in axes:
        raise InputError("no model to measure: name one such as 'resnet50', or 'all', or a suite")
    block = Block(axes={axis: _values(axis, values) for axis, values in axes.items()})
    return Suite(name="custom", description="One block of axes given by hand", blocks=(block,), written=False)


def choose(
    name_or_path: str | Path | None,
    axes: Mapping[str, Sequence[str | int]],
    settings: Mapping[str, object],
) -> Suite:
    """Return what the command line asks for: a suite (``default`` where nothing is said), changed, or axes alone.

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


def kind_of(device: str) -> Kind:
    """Return the kind of a device such as ``cpu`` or ``cuda:0``."""
    return "cpu" if device.partition(":")[0] == "cpu" else "accelerator"


def override(suite: Suite, axes: Mapping[str, Sequence[str | int]]) -> Suite:
    """Return `suite` with each of `axes` replaced in every block, on any kind of device.

    Raises:
        InputError: an axis or a value is wrong.
    """
    changes = {axis: _values(axis, values) for axis, values in axes.items()}
    return dataclasses.replace(suite, blocks=tuple(Block(axes={**block.axes, **changes}) for block in suite.blocks))


def change_settings(settings: Settings, **changes: object) -> Settings:
    """Return `settings` with those of `changes` that are not None, validated.

    Raises:
        InputError: an unknown setting, or a value that is not one.
    """
    given = {key: value for key, value in changes.items() if value is not None}
    return _settings(dataclasses.asdict(settings) | given)


def expand(
    suite: Suite,
    *,
    device: str,
    threads: int,
) -> tuple[Case, ...]:
    """Multiply `suite` out for `device`: each case once, in the order of its blocks and of `SUITE_AXES`.

    Args:
        suite: what to multiply out.
        device: ``cpu``, or an accelerator such as ``cuda:0``; it chooses between the kinds of a table.
        threads: threads of a case whose block does not say: torch's own choice.

    Raises:
        InputError: an image is too small for its model, or nothing is left.
    """
    kind = kind_of(device)
    cases: dict[Case, None] = {}
    for number, block in enumerate(suite.blocks, start=1):
        with _within(f"suite {suite.name!r}: [[cases]] {number}") if suite.written else contextlib.nullcontext():
            for values in itertools.product(*(block.values(axis, kind) for axis in SUITE_AXES)):
                cases[_case(dict(zip(SUITE_AXES, values, strict=True)), device, threads)] = None
    if not cases:
        raise InputError(f"suite {suite.name!r} has no case for device {device!r}: its tables leave {kind} out")
    return tuple(cases)


def fraction(value: object) -> float:
    """Return ``"1%"`` or ``0.01`` as 0.01.

    Raises:
        InputError: not a number, or not between 0 and 100 %.
    """
    try:
        text = str(value).strip()
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except (ValueError, RecursionError):
        number = math.nan
    if not 0 < number < 1:
        raise InputError(f"{_shown(value)} is no fraction between 0 and 1: write 1% or 0.01")
    return number


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError(f"cannot read suite {str(path)!r}: it is a device or a pipe")
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read suite {str(path)!r}: {error.strerror}") from error
    if len(content) > _LARGEST_BYTES or max(map(len, content.split(b"\n"))) > _LONGEST_LINE:
        raise InputError(f"{path}: larger than any suite, or with a longer line")
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not TOML: {error}") from error


@contextlib.contextmanager
def _within(place: str) -> Iterator[None]:
    """Say in an error that passes where it happened."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def _check_keys(table: Mapping[str, object], keys: Sequence[str], what: str = "key") -> None:
    for key in table:
        if key not in keys:
            raise InputError(f"unknown {what} {key!r}{suggestion(key, keys)} (choices: {', '.join(keys)})")


def _validate(annotation: Any, value: object, key: str) -> Any:
    try:
        return validated(value, annotation)
    except InvalidError as error:
        raise InputError(f"{key}: {_shown(value)} {error.what}") from error


def _shown(value: object) -> str:
    """Return `value` in few words, however long or deep it is."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    try:
        return short.repr(value)
    except ValueError:
        return "an integer of more digits than can be shown"


def _settings_by_kind(table: object) -> Mapping[Kind, Settings]:
    if not isinstance(table, dict):
        raise InputError("settings: not a table")
    chosen: dict[Kind, dict[str, object]] = {kind: {} for kind in KINDS}
    for key, value in table.items():
        if isinstance(value, dict):
            with _within(f"settings: {key}"):
                _check_keys(value, KINDS, "kind of device")
        for kind in KINDS:
            if not isinstance(value, dict):
                chosen[kind][key] = value
            elif kind in value:
                chosen[kind][key] = value[kind]
    return {kind: _settings(values) for kind, values in chosen.items()}


def _settings(table: Mapping[str, object]) -> Settings:
    with _within("settings"):
        _check_keys(table, [field.name for field in dataclasses.fields(Settings)])
        values = dataclasses.asdict(DEFAULTS) | dict(table)
        with _within("target"):
            values["target"] = fraction(values["target"])
        types = get_type_hints(Settings, include_extras=True)
        return Settings(**{key: _validate(types[key], value, key) for key, value in values.items()})


def _block(table: object, number: int) -> Block:
    with _within(f"[[cases]] {number}"):
        if not isinstance(table, dict):
            raise InputError("not a table")
        _check_keys(table, SUITE_AXES)
        if "model" not in table:
            raise InputError("model: missing; name at least one, or 'all'")
        return Block(axes={axis: _values(axis, value) for axis, value in table.items()})


def _values(axis: str, value: object) -> Mapping[Kind, tuple[Any, ...]]:
    """Bring a scalar, a list, or a table by kind of device into the one form that a block has."""
    _check_keys({axis: value}, SUITE_AXES, "axis")
    if not isinstance(value, Mapping):
        return dict.fromkeys(KINDS, _axis(axis, value))
    for kind in value:
        if kind not in KINDS:  # no suggestion: the nearest to 'gpu' would be 'cpu'
            raise InputError(f"{axis}: unknown kind of device {kind!r} (choices: {', '.join(KINDS)})")
    return {kind: _axis(axis, value[kind]) for kind in KINDS if kind in value}


def _axis(axis: str, value: object) -> tuple[Any, ...]:
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not values:
        raise InputError(f"{axis}: empty; give at least one value")
    annotation = get_type_hints(Case, include_extras=True)[axis]
    for item in values:
        if AXES[axis].choices and isinstance(item, str):
            check_choice(axis, item)
        _validate(annotation, item, axis)
    if axis == "model":
        return tuple(itertools.chain.from_iterable(map(model_names, values)))
    return values


def model_names(name: str) -> tuple[str, ...]:
    """Return the model of that name, or every variant for `ALL`. Raises `InputError` for a name that is neither."""
    if name == ALL:
        return tuple(each for each in models.names() if each not in models.PEERS)
    models.check(name)
    return (name,)


def _case(values: dict[str, Any], device: str, threads: int) -> Case:
    values["image_size"] = values["image_size"] or models.default_image_size(values["model"])
    values["threads"] = values["threads"] or threads
    case = Case(device=device, **values)
    _check_image_size(case)
    return case


def check_case(case: Case) -> None:
    """Raise `InputError` unless every axis of a case that was not made by a suite has a value that it can have."""
    for axis in SUITE_AXES:
        _values(axis, getattr(case, axis))
    _check_image_size(case)


def _check_image_size(case: Case) -> None:
    smallest = models.minimum_image_size(case.model)
    if case.image_size < smallest:
        raise InputError(
            f"image_size: {case.image_size} is too small for {case.model!r}, which needs at least {smallest}"
        )
