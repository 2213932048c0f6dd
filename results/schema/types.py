"""Constrained types of the schema: text, names, sizes, seconds."""

from typing import Annotated, Final, TypeVar

from msgspec import Meta, Struct

T = TypeVar("T")

Text = Annotated[str, Meta(max_length=4096)]
Name = Annotated[str, Meta(min_length=1, max_length=128, extra={"printable": True})]
"""``extra`` is for `results.schema.validation`, as msgspec itself cannot ask for `str.isprintable`."""
LEAST_S: Final = 1e-12
MOST_S: Final = 1e9
Seconds = Annotated[float, Meta(ge=0, le=MOST_S)]
StepSeconds = Annotated[float, Meta(ge=LEAST_S, le=MOST_S)]
"""Times outside of a picosecond and thirty years are damage, and would make statistics overflow."""
Share = Annotated[float, Meta(ge=0, le=1)]
Value = Annotated[float, Meta(ge=-1e30, le=1e30)]
"""Value of a metric; a larger number is damage."""
Patience = Annotated[float, Meta(gt=0, le=MOST_S)]
Count = Annotated[int, Meta(ge=0, le=2**62)]
MOST_SIZE: Final = 2**31
Size = Annotated[int, Meta(ge=1, le=MOST_SIZE)]
ImageSize = Size | Annotated[str, Meta(pattern=r"^([1-9][0-9]{0,9})x(?!\1\Z)[1-9][0-9]{0,9}\Z")]
"""Pixels a side of a square, else text such as ``224x160``; `results.image_size` reads it."""


class Stored(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Base class of the structs of a run file.

    Instances form no cycles, so Python's garbage collector need not track them: a large run has millions.
    """


def known(value: T | None) -> T:
    """Return `value`, which every measured run states.

    Raises:
        ValueError: `value` is None, as in an imported run (a bug of the caller).
    """
    if value is None:
        raise ValueError("an imported run does not state this")
    return value
