"""A run as the default suite leaves it: many variants, both tasks, speed-ups, failures, peers."""

import itertools
import math

import pytest
from msgspec import structs

from reports.chapters.speedups.chains import chain_steps, largest
from results.schema.lines.static import Layer, Stage
from results.storage import reader
from tests.reports.sources import LAYERS, source_of

# model, family, block, depth, million parameters, GMACs, million activations, top-1, GMAC/s reached
MODELS = (
    ("resnet18", "resnet", "basic", 18, 11.69, 1.814, 2.48, 0.69758, 80),
    ("resnet34", "resnet", "basic", 34, 21.80, 3.664, 3.74, 0.73314, 85),
    ("resnet50", "resnet", "bottleneck", 50, 25.56, 4.089, 11.11, 0.80858, 62),
    ("resnet101", "resnet", "bottleneck", 101, 44.55, 7.801, 16.23, 0.81886, 66),
    ("resnet152", "resnet", "bottleneck", 152, 60.19, 11.514, 22.56, 0.82284, 68),
    ("preact_resnet50", "preact", "preact_bottleneck", 50, 25.55, 4.089, 11.11, None, 58),
    ("resnext50_32x4d", "resnext", "bottleneck", 50, 25.03, 4.230, 14.40, 0.81198, 38),
    ("resnext101_32x8d", "resnext", "bottleneck", 101, 88.79, 16.414, 31.20, 0.82834, 44),
    ("resnext101_64x4d", "resnext", "bottleneck", 101, 83.46, 15.460, 31.20, 0.83246, 37),
    ("wide_resnet50_2", "wide", "bottleneck", 50, 68.88, 11.398, 14.40, 0.81602, 84),
    ("wide_resnet101_2", "wide", "bottleneck", 101, 126.89, 22.753, 21.20, 0.82510, 88),
    ("resnet50d", "resnetd", "bottleneck", 50, 25.58, 4.346, 11.90, None, 60),
    ("plain34", "plain", "basic", 34, 21.62, 3.644, 3.70, None, 88),
    ("torchvision:vgg16", "peer", None, None, 138.36, 15.470, 13.56, 0.71592, 92),
    ("torchvision:densenet121", "peer", None, None, 7.98, 2.834, 6.90, 0.74434, 35),
)
SHARES = {
    "conv1": 0.02,
    "bn1": 0.0,
    "maxpool": 0.0,
    "layer1": 0.08,
    "layer2": 0.2,
    "layer3": 0.3,
    "layer4": 0.3,
    "flatten": 0.0,
    "fc": 0.1,
}
PEER_SHARES = {"features": 0.9, "avgpool": 0.0, "classifier": 0.1}
SETTINGS = (
    ("fp32", "eager", "nhwc", 1.22),
    ("fp32", "compile", "nchw", 1.34),
    ("fp32", "compile", "nhwc", 1.003),
    ("amp-bf16", "eager", "nchw", 0.11),
)

GAINS = {"layout": ("nhwc", 1.2), "runtime": ("compile", 1.5), "precision": ("amp-bf16", 0.5)}


@pytest.fixture
def make_statics(make_static):
    def make(models=MODELS):
        return [
            make_static(
                model,
                family=family,
                block=block,
                depth=depth,
                parameters=round(1e6 * parameters),
                trainable_parameters=round(1e6 * parameters),
                model_bytes={"fp32": round(4e6 * parameters)},
                macs=round(1e9 * macs),
                training_flops=round(5.9e9 * macs),
                activations=round(1e6 * activations),
                imagenet_top1=top1,
                imagenet_weights=top1 and "IMAGENET1K_V2",
                stages=tuple(
                    Stage(
                        name=name,
                        parameters=round(1e6 * parameters * share),
                        macs=round(1e9 * macs * share),
                        activations=round(1e6 * activations * share),
                    )
                    for name, share in (SHARES if block else PEER_SHARES).items()
                ),
            )
            for model, family, block, depth, parameters, macs, activations, top1, _ in models
        ]

    return make


@pytest.fixture
def make_records(make_case, make_record, make_run, make_statics, write_run):
    """Return the loaded records of a whole run, written to a folder by the real writer."""

    def make(folder, *, run_id="20261122-003812-default-a1b2", slowness=1.0, **run_fields):
        records = []
        for model, _, _, _, parameters, macs, _, _, rate in MODELS:
            for batch, task, factor in ((1, "inference", 1.3), (8, "inference", 1.0), (8, "training", 3.1)):
                if task == "training" and macs > 12:
                    continue
                case = make_case(model=model, batch_size=batch, task=task)
                latency = slowness * factor * batch * macs / rate
                made = make_record(case, latency_s=latency, turns=24, noise=0.02 if batch == 1 else 0.008)
                facts = {"peak_resident_bytes": round(4e6 * parameters + batch * macs * 2.1e7 * factor)}
                records.append(_with_facts(made, facts))
        for model, seed in (("resnet18", 1), ("resnet50", 2), ("resnext50_32x4d", 3)):
            for precision, runtime, layout, gain in SETTINGS:
                case = make_case(model=model, precision=precision, runtime=runtime, layout=layout)
                base = slowness * 8 * 0.05 * seed
                if (model, runtime) == ("resnext50_32x4d", "compile"):
                    record = make_record(case, status="timeout", cause="no answer within 60 s; try --timeout")
                else:
                    gained = 1 + (gain - 1) * seed / 2 if gain > 1 else gain
                    record = make_record(case, latency_s=base / gained, baseline_latency_s=base, noise=0.02)
                if precision == "amp-bf16":
                    record = _replaced(record, notes=("this CPU emulates bf16",), stop="budget")
                records.append(record)
        huge = make_case(model="resnet152", task="training", batch_size=256)
        records.append(
            make_record(huge, status="out-of-memory", cause="needs more than the 8.0 GiB of the control group")
        )
        half = make_case(model="resnet18", precision="fp16", task="training")
        records.append(make_record(half, status="unsupported", cause="fp16 training is not implemented on a CPU"))
        run = make_run(plan=dict.fromkeys(record.case for record in records), run_id=run_id, **run_fields)
        return reader.load(write_run(folder, records, make_statics(), run=run))

    return make


def _replaced(record, **fields):
    return structs.replace(record, **fields)


def _with_facts(record, facts):
    return _replaced(record, facts=structs.replace(record.facts, **facts))


@pytest.fixture
def chains(tmp_path, make_case, make_record, make_run, write_run):
    """Every combination of the three axes for each model and task, in three replicates; `broken` is one that fails."""

    def make(models=("resnet50",), tasks=("inference",), broken=None):
        records = []
        for model, task, level, chosen in itertools.product(
            models, tasks, (0.99, 1.0, 1.02), itertools.product((False, True), repeat=3)
        ):
            axes = {axis: word for (axis, (word, _)), on in zip(GAINS.items(), chosen, strict=True) if on}
            gain = math.prod(factor for (_, factor), on in zip(GAINS.values(), chosen, strict=True) if on)
            case = make_case(model=model, task=task, **axes)
            failure = {"status": "timeout", "cause": "no answer in 60 s"} if len(axes) == broken else {}
            records.append(
                make_record(
                    case,
                    replicate=round(100 * level),
                    latency_s=0.05 / gain / (level if axes else 1.0),
                    baseline_latency_s=0.05 if axes else None,
                    noise=0.0,
                    **failure,
                )
            )
        run = make_run(plan=dict.fromkeys(record.case for record in records))
        records = reader.load(write_run(tmp_path, records, run=run))
        return largest(chain_steps(source_of(records)))

    return make


@pytest.fixture
def make_model(make_static):
    """The static cost of a model of these layers."""

    def make(model="resnet50", costs=LAYERS, **fields):
        layers = tuple(
            Layer(
                name=name,
                type=kind,
                stage=stage,
                output_shape=(1, 8, 4, 4),
                parameters=parameters,
                macs=macs,
                activations=activations,
            )
            for name, kind, stage, parameters, macs, activations in costs
        )
        return make_static(model, layers=layers, **fields)

    return make
