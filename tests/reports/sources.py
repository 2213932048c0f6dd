"""What chapters draw, made of records as the page makes it."""

import base64
import json
import math
import re
import zlib

import pandas as pd
from msgspec import structs

from reports.chapters.sides.frame import pairs
from reports.figures.chart import Source
from reports.page.cases import cases
from results.analysis.study import Study
from results.storage.reader import Records

LATENCIES = {"resnet18": 0.02, "resnet34": 0.04, "resnet50": 0.05, "resnet101": 0.09}
"""Seconds a step of each variant on a side."""
LAYERS = (
    ("conv1", "Conv2d", "conv1", 10, 400, 40),
    ("relu", "ReLU", "relu", 0, 0, 0),
    ("layer1.0.conv1", "Conv2d", "layer1", 30, 300, 30),
    ("layer1.0.bn1", "BatchNorm2d", "layer1", 5, 0, 0),
    ("layer1.1.conv1", "Conv2d", "layer1", 35, 300, 30),
    ("fc", "Linear", "fc", 20, 20, 1),
)
"""Name, type, stage, parameters, MACs and activations."""


def source_of(records):
    study = Study(records)
    return Source(study=study, cases=cases(study))


def rare_records(make_case, make_record):
    """Return records with what few runs have: a measured energy, checkpoints, another optimizer."""
    records = []
    for index, changes in enumerate(({}, {"grad_checkpointing": "stages"}, {"optimizer": "adamw"})):
        record = make_record(make_case(task="training", **changes), latency_s=0.2 + 0.05 * index)
        facts = structs.replace(
            record.facts, peak_resident_bytes=10**9 // (1 + index), image_j=0.5 + index, idle_w=20.0
        )
        records.append(structs.replace(record, facts=facts))
    return records


def paired(*sides):
    """The source of some sides, its cases and its pairs."""
    source = source_of(Records(tuple(file for side in sides for file in side.files)))
    return source, source.cases, source.frame(pairs)


def payload(text):
    """What the page's script is given."""
    return json.loads(unpacked(re.search(r'id="payload">([^<]*)</script>', text)[1]))


def unpacked(packed):
    """The text that a page holds packed."""
    return zlib.decompress(base64.b64decode(packed), -zlib.MAX_WBITS).decode()


def case_frame(*rows):
    """A frame of cases as figures get it: ResNet-50 in 50 ms on a CPU, but for what each row says of itself."""
    return pd.DataFrame([_case_row(index, row) for index, row in enumerate(rows)])


def _case_row(index, own):
    usual = {
        "row": index,
        "run": "run",
        "machine": "AMD EPYC 9B14",
        "model": "resnet50",
        "family": "resnet",
        "block": "bottleneck",
        "depth": 50,
        "task": "inference",
        "batch_size": 8,
        "image_size": 224,
        "in_channels": 3,
        "head": "classifier",
        "device": "cpu",
        "precision": "fp32",
        "runtime": "eager",
        "layout": "nchw",
        "grad_checkpointing": "none",
        "optimizer": "sgd",
        "threads": 2,
        "status": "ok",
        "cause": None,
        "latency_s": 0.05,
        "speedup": 1.0,
        "peak_bytes": 3e8,
        "peak_resident_bytes": 3e8,
        "peak_allocated_bytes": math.nan,
        "model_bytes": 1e8,
        "macs": 4e9,
        "imagenet_top1": 0.8,
        "accuracy": "accuracy by torchvision",
        "imported": False,
        "relative": math.nan,
        "relative_low": math.nan,
        "relative_high": math.nan,
        "reference": None,
        **own,
    }
    latency_s, speedup = usual["latency_s"], usual["speedup"]
    derived = {
        "latency_low_s": 0.9 * latency_s,
        "latency_high_s": 1.1 * latency_s,
        "throughput_img_per_s": usual["batch_size"] / latency_s,
        "speedup_low": 0.9 * speedup,
        "speedup_high": 1.1 * speedup,
    }
    return derived | usual
