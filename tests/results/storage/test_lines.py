import json
import math
import zlib

import pytest
from msgspec import structs

from results.errors import InputError
from results.schema.kinds import KINDS, Unknown
from results.schema.lines.record import Clocks, Noise, Readings, Summary
from results.schema.lines.run import SCHEMA_VERSION
from results.schema.types import Stored
from results.storage.lines import MAX_LINE_BYTES, DamagedLineError, Shared, decode, encode


def _sealed(rest):
    return b'{"crc32":"%08x",' % zlib.crc32(rest) + rest


def _changed(line, change):
    """Return the line with its content changed by `change` and a checksum that fits again."""
    content = json.loads(line)
    del content["crc32"]
    change(content)
    return _sealed(json.dumps(content).encode()[1:])


@pytest.fixture
def line(make_record):
    return encode(7, make_record()).removesuffix(b"\n")


def test_a_line_holds_what_was_written(line, make_record):
    assert decode(line) == (7, make_record())


def test_a_line_is_json_behind_its_checksum(line):
    assert line.startswith(b'{"crc32":"')
    assert int(json.loads(line)["crc32"], 16) == zlib.crc32(line[len('{"crc32":"00000000",') :])


@pytest.mark.parametrize("place", [3, 12, 25, 200, -1])
def test_any_changed_byte_is_noticed(line, place):
    changed = bytearray(line)
    changed[place] ^= 1
    with pytest.raises(DamagedLineError):
        decode(bytes(changed))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["body"].update(speed=1), "record.speed: unknown field"),
        (lambda c: c["body"]["case"].update(color="red"), "record.case.color"),
        (lambda c: c["body"]["case"].pop("model"), "record.case.model"),
        (lambda c: c["body"]["case"].update(batch_size=0), "record.case.batch_size"),
        (lambda c: c["body"]["case"].update(batch_size="8"), "record.case.batch_size"),
        (lambda c: c["body"]["case"].update(batch_size=True), "record.case.batch_size"),
        (lambda c: c["body"]["case"].update(model="a\x1b[31mb"), "record.case.model"),
        (lambda c: c["body"]["case"].update(model="x" * 129), "record.case.model"),
        (lambda c: c["body"]["case"].update(precision="fp8"), "record.case.precision"),
        (lambda c: c["body"].update(duration_s=math.nan), "not JSON"),
        (lambda c: c["body"].update(duration_s=math.inf), "not JSON"),
        (lambda c: c["body"].update(duration_s=-1.0), "record.duration_s"),
        (
            lambda c: c["body"]["samples"]["step_s"].__setitem__(0, 0.0),
            r"record.samples.step_s\[0\]: should be a number >= 1e-12",
        ),
        (lambda c: c["body"]["samples"]["step_s"].pop(), "record.samples.turn: 80 entries for 79 steps"),
        (lambda c: c["body"]["samples"]["wall_s"].pop(), "turn 39 of 39"),
        (lambda c: c["body"]["samples"].update(warmup=81), "record.samples.warmup: 81 of 80"),
        (lambda c: c["body"]["samples"]["turn"].reverse(), "goes backwards"),
        (lambda c: c["body"]["samples"].update(baseline_s=[0.1]), "record.samples.baseline_s: 1 entries"),
        (lambda c: c["body"]["samples"].update(at_s=[0.1]), "record.samples.at_s: 1 entries"),
        (lambda c: c["body"]["samples"].update(queued=[0.1]), "record.samples.queued: 1 entries"),
        (lambda c: c["body"]["samples"].update(part=[0]), "record.samples.part: 1 entries"),
        (lambda c: c["body"].update(samples=None), "status ok, but neither samples nor a summary"),
        (lambda c: c.update(end={"status": "complete", "records": 1}), "holds 2 bodies"),
        (lambda c: c.pop("body"), "holds 0 bodies"),
        (lambda c: c.pop("kind"), "a body without a kind"),
        (lambda c: c.update(end=c.pop("body")), "a kind without a body"),
        (lambda c: c.update(kind="static"), "static.case: unknown field|static.model: is missing"),
        (lambda c: c.update(kind="a b"), "kind: should be text"),
        (lambda c: c.update(line=0), "line: should be a whole number >= 1"),
        (lambda c: c.update(comment="x"), "comment: unknown field"),
    ],
)
def test_what_breaks_the_schema_is_refused_by_name(line, change, message):
    with pytest.raises(DamagedLineError, match=message) as caught:
        decode(_changed(line, change))
    assert "\n" not in str(caught.value)


def test_deep_nesting_is_refused():
    with pytest.raises(DamagedLineError, match="nested too deeply"):
        decode(_sealed(b'"line":1,"kind":"record","body":' + b"[" * 200_000 + b"]" * 200_000 + b"}"))


def test_a_huge_line_is_refused_before_it_is_parsed():
    with pytest.raises(DamagedLineError, match="longer than 64 MiB"):
        decode(b" " * (MAX_LINE_BYTES + 1))


def test_a_newer_schema_asks_for_an_update(make_run):
    newer = _changed(encode(1, make_run())[:-1], lambda c: c["body"].update(schema=SCHEMA_VERSION + 1, novelty=1))
    told = rf"newer resnet-bench .schema {SCHEMA_VERSION + 1}, this one reads {SCHEMA_VERSION}.; update"
    with pytest.raises(InputError, match=told):
        decode(newer)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["body"]["samples"].update(arm_s=[0.1]), "record.samples.arm_s: 1 entries"),
        (lambda c: c["body"]["equality"].update(verdict="close"), "record.equality.verdict"),
        (lambda c: c["body"]["equality"].update(error=-1e-9), "record.equality.error: should be a number >= 0"),
        (lambda c: c["body"]["noise"].update(steal=-0.1), "record.noise.steal"),
        (lambda c: c["body"]["facts"].update(recompiles=1.5), "record.facts.recompiles"),
    ],
)
def test_what_version_2_adds_is_checked_too(make_record, make_equality, change, message):
    line = encode(7, make_record(equality=make_equality(), signs=Noise(steal=0.1)))[:-1]
    with pytest.raises(DamagedLineError, match=message):
        decode(_changed(line, change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body: body["noise"]["accelerator_held"].update(power=1.1), "record.noise.accelerator_held"),
        (lambda body: body["noise"].update(accelerator_processes=-1), "record.noise.accelerator_processes"),
        (lambda body: body["clocks"].update(sm_hz={"median": 1.9e9}), "record.clocks.sm_hz"),
    ],
)
def test_what_a_driver_reports_of_an_accelerator_is_stored_and_checked(make_record, change, message):
    clocks = Clocks(turns=40, sm_hz=Readings(median=1.9e9, low=1.8e9, high=1.95e9))
    signs = Noise(accelerator_held={"power": 0.25, "hw_slowdown": 0.0}, accelerator_processes=1)
    record = make_record(signs=signs, clocks=clocks)
    line = encode(7, record)[:-1]
    assert decode(line) == (7, record)
    with pytest.raises(DamagedLineError, match=message):
        decode(_changed(line, lambda content: change(content["body"])))


@pytest.mark.parametrize("name", ["latency_s", "throughput_img_per_s"])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_time_or_rate_of_a_summary_is_positive(make_record, name, value):
    record = structs.replace(make_record(), samples=None, summary=Summary(metrics={name: 1.0, "buffers": 0.0}))
    assert decode(encode(7, record)[:-1]) == (7, record)
    with pytest.raises(DamagedLineError, match="a time or rate of less than 1e-12"):
        encode(7, structs.replace(record, summary=Summary(metrics={name: value})))


def test_the_writer_refuses_what_the_reader_would(make_record):
    with pytest.raises(DamagedLineError, match="duration_s"):
        encode(1, make_record(duration_s=-1.0))
    with pytest.raises(DamagedLineError, match=r"record.duration_s: should be a finite number"):
        encode(1, make_record(duration_s=math.nan))


def test_static_costs_that_are_equal_are_made_once_and_others_are_told_apart(make_static):
    shared = Shared()
    first = make_static()
    other = structs.replace(first, stages=())  # which differs far behind its model
    lines = [encode(number, body)[:-1] for number, body in enumerate((first, first, other, first), start=2)]
    read = [decode(line, shared) for line in lines]
    assert read == [(2, first), (3, first), (4, other), (5, first)]
    assert read[0][1] is read[1][1]


class Profile(Stored, frozen=True, kw_only=True):
    seconds: dict[str, float]


def test_a_kind_that_is_unknown_is_kept_as_it_stands(monkeypatch):
    monkeypatch.setitem(KINDS, "profile", Profile)
    body = Profile(seconds={"conv1": 0.5})
    line = encode(3, body)[:-1]
    assert decode(line) == (3, body)
    monkeypatch.delitem(KINDS, "profile")
    assert decode(line) == (3, Unknown(kind="profile", body={"seconds": {"conv1": 0.5}}))


@pytest.mark.parametrize("text", ["µs", 'a "quoted" word', "a\\b", "two\nlines"])
def test_text_of_any_kind_comes_back(make_record, text):
    record = make_record(notes=(text,), nulls={"compile_s": text})
    line = encode(7, record)
    assert line.count(b"\n") == 1
    assert decode(line[:-1]) == (7, record)


def test_records_share_what_they_hold_alike(make_record, make_case):
    shared = Shared()
    records = [make_record(replicate=0), make_record(replicate=1), make_record(make_case(threads=7), turns=2)]
    read = [decode(encode(number, record)[:-1], shared)[1] for number, record in enumerate(records, start=2)]
    assert read == records
    assert read[0].case is read[1].case
    assert read[0].ran is read[1].ran
    assert read[0].nulls is read[1].nulls
