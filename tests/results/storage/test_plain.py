import re

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.schema.record import Noise, Summary
from results.schema.run import Source
from results.storage.lines import _DECODER, _checked, encode
from results.storage.plain import SHARED, plain, plain_part

shared_fixtures = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def _line(body):
    return encode(7, body).removesuffix(b"\n")


def _quick(line):
    """What msgspec makes of a line that `results.storage.lines` would not look at again, else None."""
    try:
        parsed = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    spelled = plain(line)
    if spelled is None:
        return None
    parts = ((name, text) for name, text in zip(SHARED, spelled, strict=True) if text not in {None, b"null"})
    return parsed if all(plain_part(name, text) for name, text in parts) else None


def test_what_the_writer_writes_is_plain(make_record, make_case, make_equality, make_static, make_run):
    for body in (
        make_record(),
        make_record(status="timeout", cause="no answer within 60 s"),
        make_record(make_case(task="training", precision="amp-bf16", runtime="compile"), baseline_latency_s=0.1),
        make_record(equality=make_equality(), signs=Noise(steal=1e-7), notes=("emulated", "slow"), nulls={}),
        make_record(samples=None, summary=Summary(metrics={"latency_s": 0.1}, bounds={"latency_low_s": 1e22})),
        make_static(),
        make_run(),
        make_run((make_case(), make_case(threads=None)), source=Source(format="timm", file="a.csv", sha256="0" * 64)),
    ):
        assert _quick(_line(body)) == _checked(_line(body))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"replicate":0', b'"replicate":0,"replicate":1'),
        (b'"batch_size":8', b'"batch_size":8,"batch_size":9'),
        (b'"slowing":false', b'"warmup":4'),  # as many keys as before, one of them twice
        (b'"slowing":false', b'"slow1ing":false'),  # whose value would be that of the default
        (b'"slowing":false', b'"slowing":false,"slowing":true'),
        (b'"compile_s":"eager compiles nothing"', b'"compile_s":"a","compile_s":"b"'),
        (b'"compile_s":"eager compiles nothing"', b'"compile_s":{"a":1,"a":2}'),
        (b'"tf32_matmul":false', b'"tf32_matmul":{"a":1,"a":2}'),
        (b'"step_s":[', b'"step_s":[{"a":1,"a":2},'),
        (b'"notes":[]', b'"notes":["a",{"b":1,"b":2}]'),
        (b'"model":"resnet50"', b'"model":"a","model":"resnet50"'),
        (b'"model":"resnet50"', b'"model":"a\\","model":"b"'),
        (b'"model":"resnet50"', b'"model":"resnet\x7f50"'),
        (b'"model":"resnet50"', '"model":"resnet\u202e50"'.encode()),
        (b'"status":"ok"', b'"status" :"ok"'),
        (b'"slowing":false', b'"slow\\u0069ng":false'),
        (b',"slowing":false}', b'},"slowing":false'),
    ],
)
def test_what_may_hold_another_key_or_hide_a_name_is_not_plain(make_record, old, new):
    line = _line(make_record())
    assert line.count(old) >= 1
    assert _quick(line.replace(old, new, 1)) is None


_TOKEN = re.compile(rb'"[^"]*"|[][{}:,]|[^][{}:,"]+')
_STRANGE = (b"1", b"null", b"{}", b"[]", b'"a"', b'"":', b",", b"{", b"}", b'"x1":0,', b'"\\u0061"', b" ", b'"\x7f"')


def _change(tokens, draw):
    """Change one thing: a key, how often it stands there, or anything at all."""
    keys = [place for place in range(len(tokens) - 1) if tokens[place + 1] == b":"]
    key = draw(st.sampled_from(keys or [0]))
    place, target = draw(st.integers(0, len(tokens) - 1)), draw(st.integers(0, len(tokens)))
    match draw(st.sampled_from(["mangle", "rename", "repeat", "drop", "copy", "delete", "put"])):
        case "mangle":
            at = draw(st.integers(0, len(tokens[key])))
            tokens[key] = tokens[key][:at] + draw(st.sampled_from([b"1", b"-", b"_", b"\\", b"e"])) + tokens[key][at:]
        case "rename":
            tokens[key] = tokens[draw(st.sampled_from(keys or [0]))]
        case "repeat":  # such as `"warmup" : 4 ,`
            tokens[key:key] = tokens[key : key + 4]
        case "drop":
            del tokens[key : key + 4]
        case "copy":
            tokens[target:target] = tokens[place : place + draw(st.integers(1, 8))]
        case "delete":
            del tokens[place : place + draw(st.integers(1, 4))]
        case "put":
            tokens[place : place + draw(st.integers(0, 1))] = [draw(st.sampled_from(_STRANGE))]


@given(data=st.data())
@settings(shared_fixtures, max_examples=600)
def test_a_line_that_is_read_quickly_is_read_the_same_slowly(
    make_record, make_static, make_run, make_case, make_equality, data
):
    whole = data.draw(
        st.sampled_from(
            [
                make_record(turns=2, equality=make_equality(), signs=Noise(steal=1e-7), nulls={"a": "b", "c": "d"}),
                make_record(samples=None, summary=Summary(metrics={"latency_s": 0.1})),
                make_static(),
                make_run((make_case(),)),
            ]
        )
    )
    tokens = _TOKEN.findall(_line(whole))
    assert b"".join(tokens) == _line(whole)
    for _ in range(data.draw(st.integers(1, 2))):
        _change(tokens, data.draw)
    line = b"".join(tokens)
    quick = _quick(line)
    assert quick is None or quick == _checked(line)


@settings(shared_fixtures)
@given(value=st.floats(-1e30, 1e30))
def test_both_ways_read_the_same_number(make_record, value):
    line = _line(make_record(samples=None, summary=Summary(metrics={"break_even_steps": value})))
    assert _quick(line).record.summary.metrics["break_even_steps"].hex() == value.hex()
    assert _checked(line).record.summary.metrics["break_even_steps"].hex() == value.hex()


@pytest.mark.parametrize("part", [b'"a",', b"{", b'"a":', b"1,", b"x", b"[" * 9, b'"a":1,', b'"a":"b",', b'{"a":1},'])
def test_a_hostile_line_takes_linear_time(make_record, make_static, part):
    for line in (_line(make_record()), _line(make_static())):
        places = [found.end() for found in re.finditer(rb"[\[{,]", line)]
        for place in (places[5], places[40]):
            assert plain(line[:place] + part * 1_000_000) is None
