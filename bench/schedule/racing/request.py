"""What a search is asked."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What `best` is asked."""

    models: tuple[str, ...]
    task: str = "inference"
    batches: tuple[int, ...] | None = (1,)
    """None: the batch with the highest throughput, of `BATCHES`."""
    image_size: int | str | None = None
    threads: tuple[int, ...] | None = None
    """None: as many as torch takes."""
    axes: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)
    """Precisions, runtimes and layouts that replace those of the machine."""
    max_latency_s: float | None = None
    max_memory_bytes: int | None = None
    min_agreement: float | None = None
    """Share of images whose top class must be that of fp32; with it, int8 takes part."""
    min_accuracy: float | None = None
    """Published accuracy of the models, which the caller has obeyed."""
    time_limit_s: float = 300.0
