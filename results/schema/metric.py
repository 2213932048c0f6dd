"""The class of a metric, short ways to declare the usual ones, and the metrics that are counted, not measured."""

import dataclasses
from typing import Any, Final, Literal

Better = Literal["higher", "lower"]
Combine = Literal["geometric", "paired", "median", "known", "max", "worst", "same", "run"]
Table = Literal["cases", "models"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric: its name, unit, direction of improvement, and texts."""

    name: str
    unit: str
    """One of `results.schema.units.UNITS`."""
    better: Better | None
    """Direction of improvement, None where neither is."""
    label: str
    """Name for people, on an axis or in a sentence."""
    description: str
    combine: Combine
    """Combination of the values of replicates. ``geometric``: mean of times and rates that have an interval across
    replicates; ``paired``: the same for ratios, over the replicates that have both times; ``median``: of other times;
    ``known``: median of the values that are not null; ``max``: of peaks and counts; ``worst``: maximum of the values
    that are not null; ``same``: static cost, equal in all replicates; ``run``: the value needs other cases of the run,
    and `results.metrics.table` computes it."""
    whole: bool = False
    """Whether every value is a whole number."""
    bounds: tuple[str, str] | None = None
    """Columns of the ends of its 95 % interval."""
    heading: str = ""
    """Head of its column on the page; the label where it is empty."""
    tables: frozenset[Table] = frozenset()
    """Tables of the page that show it: all ``cases``, all ``models``."""
    terminal: tuple[float, str] | None = None
    """Factor and head of its column in a terminal; None leaves it out."""


IN_CASES: Final[frozenset[Table]] = frozenset({"cases"})
IN_MODELS: Final[frozenset[Table]] = frozenset({"models"})


def time_metric(name: str, label: str, description: str, **more: Any) -> Metric:
    """Return a metric in seconds; by default the median of replicates."""
    more = {"combine": "median"} | more
    return Metric(name=name, unit="s", better="lower", label=label, description=description, **more)


def steps_metric(name: str, label: str, description: str, **more: Any) -> Metric:
    """Return a number of steps that needs other cases of the run."""
    return Metric(name=name, unit="1", better="lower", label=label, description=description, combine="run", **more)


def peak_metric(name: str, label: str, description: str, **more: Any) -> Metric:
    """Return a peak in whole bytes."""
    return Metric(
        name=name, unit="B", better="lower", label=label, description=description, combine="max", whole=True, **more
    )


def count_metric(name: str, label: str, description: str, better: Better | None = "lower", **more: Any) -> Metric:
    """Return a count whose largest value counts."""
    return Metric(
        name=name, unit="1", better=better, label=label, description=description, combine="max", whole=True, **more
    )


def cost_metric(name: str, unit: str, label: str, description: str, **more: Any) -> Metric:
    """Return a static cost of a model, a whole number where `more` does not say otherwise."""
    usual: dict[str, Any] = {"better": "lower", "whole": True, "tables": IN_MODELS}
    more = usual | more
    return Metric(name=name, unit=unit, label=label, description=description, combine="same", **more)


STATIC: Final = (
    cost_metric("parameters", "1", "parameters", "elements of all parameters"),
    cost_metric("trainable_parameters", "1", "trainable parameters", "elements of trained ones", tables=frozenset()),
    cost_metric(
        "buffers",
        "1",
        "buffers",
        "elements of the buffers, such as running statistics",
        tables=frozenset(),
    ),
    cost_metric(
        "model_bytes",
        "B",
        "model size",
        "bytes of parameters and buffers at the case's precision",
        heading="weights",
    ),
    cost_metric("macs", "MAC", "MACs", "multiply-adds of convolution and linear layers for one image"),
    cost_metric("flops", "FLOP", "FLOPs", "2 per MAC, for one image forward"),
    cost_metric("training_flops", "FLOP", "training FLOPs", "forward and backward for one image"),
    cost_metric(
        "fvcore_macs",
        "MAC",
        "fvcore total",
        "fvcore's own total: multiply-adds, with batch norm and pooling",
        heading="fvcore's total",
    ),
    cost_metric("activations", "1", "activations", "elements that convolution and linear layers put out for one image"),
    cost_metric(
        "arithmetic_intensity",
        "FLOP/B",
        "arithmetic intensity",
        "FLOPs a byte moved, fp32 at batch 1",
        better=None,
        whole=False,
        heading="intensity",
    ),
    cost_metric(
        "imagenet_top1",
        "1",
        "ImageNet top-1",
        "published ImageNet-1k accuracy, a fraction",
        better="higher",
        whole=False,
        heading="top-1",
        tables=IN_CASES | IN_MODELS,
    ),
)
