"""What chapters draw, made of records as the page makes it."""

import base64
import json
import re
import zlib

from reports.chapters.sides.frame import pairs
from reports.figures.chart import Source
from reports.page.cases import cases
from results.analysis.study import Study
from results.storage.reader import Records

LATENCIES = {"resnet18": 0.02, "resnet34": 0.04, "resnet50": 0.05, "resnet101": 0.09}
"""Seconds a step of each variant on a side."""


def source_of(records):
    study = Study(records)
    return Source(study=study, cases=cases(study))


def paired(*sides):
    """The source of some sides, its cases and its pairs."""
    source = source_of(Records(tuple(file for side in sides for file in side.files)))
    return source, source.cases, source.frame(pairs)


def payload(text):
    """What the page's script is given."""
    packed = re.search(r'id="payload">([^<]*)</script>', text)[1]
    return json.loads(zlib.decompress(base64.b64decode(packed), -zlib.MAX_WBITS))
