"""Costs that need no clock."""

from typing import Final

from reports.chapters.chart import Chapter, Chart
from reports.chapters.static import layers
from reports.chapters.static.stages import QUANTITIES
from reports.figures import treemap
from reports.figures.bars import cost_by_stage
from reports.page import sentences

CHAPTER: Final = Chapter(
    title="Static cost",
    lead="Known without timing anything, per image: where parameters, multiply-adds and activations lie.",
    charts={
        "stages": Chart(
            title="Cost by stage",
            frame="stages",
            definition=(
                "The share of each stage in the model's total. The stem is everything before the first "
                "stage, the head everything after the last one. Models that are not built of a ResNet's "
                "stages, such as VGG, are left out, and of many models all but the first 60 by family and depth."
            ),
            absent="these files hold no static cost of a model with the stages of a ResNet",
            rows=lambda frame: frame,
            by=("quantity", "image_size"),
            draw=cost_by_stage,
            takeaway=sentences.of_stages,
            columns=("model", "image_size", "stage", "quantity", "value"),
            least=1,
        ),
        "treemap": Chart(
            title="Where it lies",
            frame="layers",
            definition=(
                "A box's area is its share in the model's parameters, multiply-adds or activations: stage, block, "
                "layer; colour and pattern tell the stage. A click goes into a box. Counted per image: activations "
                "are elements put out by convolution and linear layers. Shown for the first 40 models by family and "
                "depth."
            ),
            absent="these files hold no static cost of a model",
            rows=layers.by_quantity,
            by=("model", "image_size", "quantity"),
            draw=treemap.treemap,
            takeaway=treemap.of_layers,
            columns=(),
            table=layers.layer_table,
            least=1,
            choices=len(QUANTITIES) * layers.MOST_MODELS,
            ordered=True,
        ),
    },
)
