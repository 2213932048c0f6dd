"""The folders that the workers of a run share."""

import pathlib
import shutil
import threading

from results.schema.case import Case
from results.schema.labels import RUNTIMES


class Caches:
    """Private folders of a run: a compiler's cache for each case, and references for each baseline.

    Cards that are measured at once share the object; no case or baseline of a card is another card's.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._names: dict[Case, str] = {}
        self._naming = threading.Lock()  # else two cards may give the same number to two cases
        self._filled: set[Case] = set()

    def compiler(self, case: Case) -> str:
        """Return the folder of the compiler's artefacts of a case, which all its workers share."""
        return self._made("compiler", case)

    def references(self, case: Case) -> str:
        """Return the folder of the right results of a case's baseline."""
        return self._made("references", case.baseline)

    def forget_references(self, case: Case) -> None:
        """Delete the right results of a case's baseline: they may take gigabytes."""
        shutil.rmtree(self._path("references", case.baseline), ignore_errors=True)

    def cold(self, case: Case) -> bool:
        """Return whether a worker of the case would compile with an empty cache."""
        return RUNTIMES[case.runtime].compiles and case not in self._filled

    def fill(self, case: Case) -> None:
        """Note that a worker of the case fills its compiler's cache."""
        self._filled.add(case)

    def _made(self, kind: str, case: Case) -> str:
        path = self._path(kind, case)
        path.mkdir(mode=0o700, exist_ok=True)
        return str(path)

    def _path(self, kind: str, case: Case) -> pathlib.Path:
        with self._naming:
            name = self._names.setdefault(case, str(len(self._names)))
        return self._folder / f"{kind}-{name}"
