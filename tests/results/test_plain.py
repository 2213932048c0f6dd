import re

import pytest

from results.lines import encode
from results.plain import plain
from results.schema import Noise, Summary


def _line(record):
    return encode(7, record).removesuffix(b"\n")


def test_what_the_writer_writes_is_plain(make_record, make_case, make_equality):
    for record in (
        make_record(),
        make_record(status="timeout", cause="no answer within 60 s"),
        make_record(make_case(task="training", precision="amp-bf16", runtime="compile"), baseline_latency_s=0.1),
        make_record(equality=make_equality(), signs=Noise(steal=1e-7), notes=("emulated", "slow"), nulls={}),
    ):
        assert plain(_line(record))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"replicate":0', b'"replicate":0,"replicate":1'),
        (b'"batch_size":8', b'"batch_size":8,"batch_size":9'),
        (b'"slowing":false', b'"warmup":4'),  # as many keys as before, one of them twice
        (b'"compile_s":"eager compiles nothing"', b'"compile_s":"a","compile_s":"b"'),
        (b'"compile_s":"eager compiles nothing"', b'"compile_s":{"a":1,"a":2}'),
        (b'"tf32_matmul":false', b'"tf32_matmul":{"a":1,"a":2}'),
        (b'"step_s":[', b'"step_s":[{"a":1,"a":2},'),
        (b'"notes":[]', b'"notes":["a",{"b":1,"b":2}]'),
        (b'"model":"resnet50"', b'"model":"a","model":"resnet50"'),
        (b'"model":"resnet50"', b'"model":"a\\","model":"b"'),
        (b'"status":"ok"', b'"status" :"ok"'),
        (b'"slowing":false', b'"slow\\u0069ng":false'),
    ],
)
def test_what_may_hold_a_key_twice_is_not_plain(make_record, old, new):
    line = _line(make_record())
    assert line.count(old) >= 1
    assert not plain(line.replace(old, new, 1))


def test_a_record_with_a_summary_is_left_to_the_slow_way(make_record):
    assert not plain(_line(make_record(samples=None, summary=Summary(metrics={"latency_s": 0.1}))))


@pytest.mark.parametrize("part", [b'"a",', b"{", b'"a":', b"1,", b"x", b"[" * 9])
def test_a_hostile_line_takes_linear_time(make_record, part):
    line = _line(make_record())
    places = [found.end() for found in re.finditer(rb"[\[{,]", line)]
    assert not plain(line[: places[40]] + part * 1_000_000)
