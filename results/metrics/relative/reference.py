"""The reference of a run: the case to which the times of the other cases are relative."""

import operator
from collections import Counter
from collections.abc import Sequence
from typing import Final

from results.errors import InputError
from results.schema.axes import AXES, SETTINGS
from results.schema.case import Case
from results.text import printable

USUAL: Final = "resnet50"
"""The model of the reference where nobody names another and the run has it: most papers compare with it."""

_conditions: Final = operator.attrgetter(*(axis for axis in AXES if axis not in {"model", *SETTINGS}))
_MOST: Final = 8
"""The most models that a message lists."""


def reference(cases: Sequence[Case], name: str | None = None, *, run: str = "the run") -> Case | None:
    """Return the reference among the cases of a run, None without cases.

    It is a case of the model `name`; by default of `USUAL`, or of the model with the most cases. Of the cases of this
    model, those with the settings of the baseline come first, then those with the most frequent task, batch size and
    other conditions of the run, then those that come first in the plan.

    Args:
        cases: the cases, in the order of the plan.
        name: a model, or the key of a case.
        run: what a message calls the run.

    Raises:
        InputError: No case has the name.
    """
    if not cases:
        return None
    models = Counter(case.model for case in cases)
    model = name or (USUAL if USUAL in models else models.most_common(1)[0][0])
    candidates = [case for case in cases if case.model == model] or [case for case in cases if case.key == model]
    if not candidates:
        listed = ", ".join(list(models)[:_MOST]) + (f" and {len(models) - _MOST} more" if len(models) > _MOST else "")
        raise InputError(printable(f"no case of {model} in {run}, so it cannot be the reference; measured: {listed}"))
    conditions = Counter(map(_conditions, cases))
    return max(candidates, key=lambda case: (case.is_baseline, conditions[_conditions(case)]))
