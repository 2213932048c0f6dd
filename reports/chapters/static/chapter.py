"""Costs that need no clock."""

from typing import Any, Final

import pandas as pd

from reports.chapters.static import layers, stages
from reports.figures import treemap
from reports.figures.bars import cost_by_stage
from reports.figures.chart import Chapter, Chart, Insert, Source


def _tables(source: Source) -> dict[str, Any]:
    return {"models": stages.model_table(source), "stages": layers.stage_table(source)}


def _all(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


CHAPTER: Final = Chapter(
    title="Static cost",
    lead="Costs of an image that need no measurement: parameters, multiply-adds and activations by stage and layer.",
    intro=Insert(template="static/chapter.html", values=_tables),
    charts={
        "stages": Chart(
            title="Cost by stage",
            needs="static",
            frame=stages.stage_frame,
            definition=(
                "The share of each stage in the model's total. The stem is everything before the first "
                "stage, the head everything after the last stage. Models that are not built of a ResNet's "
                "stages, such as VGG, are left out, and of many models all but the first 60 by family and depth."
            ),
            absent="these files hold no static cost of a model with the stages of a ResNet",
            rows=_all,
            by=("quantity", "image_size", "in_channels", "head"),
            draw=cost_by_stage,
            takeaway=stages.of_stages,
            columns=stages.STAGE_COLUMNS,
            own=stages.STATIC_COLUMNS,
            least=1,
        ),
        "treemap": Chart(
            title="Cost by layer",
            needs="static",
            frame=layers.layer_frame,
            definition=(
                "A box's area is its share of the model's parameters, multiply-adds or activations: stage, block, "
                "layer; colour and pattern show the stage. A click opens a box. Counted per image: activations "
                "are elements put out by convolution and linear layers. Shown for the first 40 models by family and "
                "depth."
            ),
            absent="these files hold no static cost of a model",
            rows=layers.by_quantity,
            by=("model", "image_size", "in_channels", "head", "quantity"),
            draw=treemap.treemap,
            takeaway=layers.of_layers,
            table=layers.layer_table,
            least=1,
            choices=len(stages.QUANTITIES) * layers.MOST_MODELS,
            ordered=True,
        ),
    },
)
