"""The kinds of lines of a run file, declared once.

To add a kind, add its class to `results.schema`, its line here, and the code that produces it and the chapter that
shows it. Everything else reads and writes it by its name.
"""

from typing import Any, Final

from results.schema.lines.loading import Loading
from results.schema.lines.memory import LargestBatch, Memory
from results.schema.lines.peaks import Peaks
from results.schema.lines.profile import Profile
from results.schema.lines.record import Record
from results.schema.lines.run import End, Resumed, RunHeader
from results.schema.lines.search import Search
from results.schema.lines.static import Static
from results.schema.lines.training import Epoch, Training, TrainingEnd
from results.schema.types import Stored

KINDS: Final[dict[str, type[Stored]]] = {
    "header": RunHeader,
    "static": Static,
    "record": Record,
    "training": Training,
    "epoch": Epoch,
    "training-end": TrainingEnd,
    "loading": Loading,
    "peaks": Peaks,
    "profile": Profile,
    "memory": Memory,
    "fit": LargestBatch,
    "search": Search,
    "resumed": Resumed,
    "end": End,
}
"""Class of the body of each kind of line."""


class Unknown(Stored, frozen=True, kw_only=True):
    """The body of a line whose kind is not in `KINDS`: a newer version wrote it."""

    kind: str
    body: Any
    """As JSON has it: dicts, lists, text and numbers."""


def kind_of(body: Stored) -> str:
    """Return the kind of a line that holds `body`.

    Raises:
        TypeError: `KINDS` does not declare the class of `body`.
    """
    if isinstance(body, Unknown):
        return body.kind
    for kind, bodies in KINDS.items():
        if bodies is type(body):
            return kind
    raise TypeError(f"KINDS declares no kind for {type(body).__name__}")
