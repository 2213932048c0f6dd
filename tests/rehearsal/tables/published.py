"""Figures that others published, beside ours: what a reader will compare first. None is judged.

timm: wall clock with a synchronisation a step, synthetic data, autotuner on, fp16 autocast. NVIDIA: DALI's data loader.
"""

import dataclasses
from typing import Final

from tests.rehearsal.evidence import Evidence
from tests.rehearsal.readings import Reader, physics, throughput
from tests.rehearsal.tables.bounds import AMP_FP16
from tests.rehearsal.verdicts import write_columns

_TIMM: Final = "pytorch-image-models, results/benchmark-infer-amp-"
_NVIDIA: Final = "NVIDIA DeepLearningExamples, ResNet50 v1.5, 21.03"
_BYTES: Final = "estimate: 68 % of the limit by memory traffic"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A published throughput of ResNets at 224 x 224."""

    what: str
    gpu: str
    images_per_s: float | tuple[float, float]
    """Images a second; an expectation is an interval."""
    source: str
    ours: Reader | None = None
    """The number of this machine that is nearest in its settings, None where the rehearsal measures nothing like it."""


FIGURES: Final[tuple[Figure, ...]] = (
    Figure(
        what="resnet50 inference amp nhwc b512",
        gpu="RTX 4090",
        images_per_s=5088,
        source=f"{_TIMM}nhwc-pt240-cu124-rtx4090.csv",
        ours=physics("timm-like/on-512", "images_per_s"),
    ),
    Figure(
        what="resnet50 inference amp nchw b1024",
        gpu="RTX 4090",
        images_per_s=4303,
        source=f"{_TIMM}nchw (torch 2.9.1), RTX 4090",
        ours=throughput("inference", precision="amp-fp16", layout="nchw"),
    ),
    *(
        Figure(
            what=f"{model} inference amp nhwc b512",
            gpu="RTX 4090",
            images_per_s=rate,
            source=f"{_TIMM}nhwc-pt240-cu124-rtx4090.csv",
        )
        for model, rate in (
            ("resnet50d", 4716),
            ("resnext50_32x4d", 4220),
            ("resnet101", 3321),
            ("wide_resnet50_2", 3281),
        )
    ),
    *(
        Figure(
            what=f"{model} inference amp nhwc b1024",
            gpu="RTX 3090",
            images_per_s=rate,
            source=f"{_TIMM}nhwc-pt240-cu124-rtx3090.csv",
        )
        for model, rate in (("resnext50_32x4d", 3136), ("resnet101", 2288), ("wide_resnet50_2", 2093))
    ),
    *(
        Figure(
            what="resnet50 inference amp b256",
            gpu=gpu,
            images_per_s=rate,
            source=_NVIDIA,
            ours=physics("timm-like/on", "images_per_s"),
        )
        for gpu, rate in (("V100", 3382), ("T4", 1198))
    ),
    *(
        Figure(
            what="resnet50 inference fp32 b256",
            gpu=gpu,
            images_per_s=rate,
            source=_NVIDIA,
            ours=throughput("inference", precision="fp32", layout="nchw"),
        )
        for gpu, rate in (("V100", 1261), ("T4", 415))
    ),
    Figure(
        what="resnet50 training amp b256",
        gpu="A100-80",
        images_per_s=2470,
        source=_NVIDIA,
        ours=physics("timm-like/training", "images_per_s"),
    ),
    Figure(
        what="resnet50 training tf32",
        gpu="A100-80",
        images_per_s=938,
        source=_NVIDIA,
        ours=throughput("training", precision="tf32", layout="nhwc"),
    ),
    Figure(
        what="resnet50 inference amp nhwc b256",
        gpu="H100",
        images_per_s=(9000, 16_000),
        source=_BYTES,
        ours=throughput("inference", **AMP_FP16),
    ),
    Figure(
        what="resnet50 inference fp32 b256",
        gpu="H100",
        images_per_s=(3500, 6000),
        source="estimate: about 50 TFLOP/s without TF32",
        ours=throughput("inference", precision="fp32", layout="nchw"),
    ),
    Figure(
        what="resnet50 training amp b128-256",
        gpu="H100",
        images_per_s=(3000, 4500),
        source=_BYTES,
        ours=throughput("training", **AMP_FP16),
    ),
)


def compared(evidence: Evidence) -> list[dict[str, object]]:
    """Return every figure with ours, which is None, with its reason, where there is none."""
    rows: list[dict[str, object]] = []
    for figure in FIGURES:
        ours, reason = None, ""
        if figure.ours is None:
            reason = "not measured here"
        else:
            try:
                ours = figure.ours(evidence)
            except Exception as error:  # noqa: BLE001 - as in the verdicts: one reading must not cost the table
                reason = str(error)
        rows.append(
            {
                "what": figure.what,
                "gpu": figure.gpu,
                "images_per_s": figure.images_per_s,
                "source": figure.source,
                "ours_images_per_s": ours,
                "reason": reason,
            }
        )
    return rows


def write_figures(rows: list[dict[str, object]]) -> None:
    """Write the figures beside ours to stdout."""

    def cell(value: object) -> str:
        if isinstance(value, tuple):
            return " to ".join(f"{end:,.0f}" for end in value)
        return f"{value:,.0f}" if isinstance(value, (int, float)) else "–"

    head = ["images a second, not judged", "on", "published", "ours", "source"]
    body = [
        [row["what"], row["gpu"], cell(row["images_per_s"]), cell(row["ours_images_per_s"]), row["source"]]
        for row in rows
    ]
    write_columns(head, [[str(text) for text in line] for line in body])
