import gzip
import json
from pathlib import Path

import pytest

from results.errors import InputError
from results.importers.kineto import trace
from results.importers.kineto.trace import read_trace, shapes_of
from results.importers.reading import Content
from tests.traces import STARTED_US, event, operator, trace_bytes

CONV = operator("aten::conv2d", 0, 10, [[1, 3, 8, 8], [4, 3, 3, 3], [], [[2, 2], [3, 3]], 7])


def read(data):
    return read_trace(Content(Path("t.json"), data))


def test_spans_are_in_nanoseconds_after_the_first():
    (first, second) = read(trace_bytes([operator("aten::add", 5, 1.5), CONV])).spans
    assert (first.start, first.end) == (5000, 6500)
    assert (second.start, second.end) == (0, 10_000)
    assert shapes_of(second) == "1x3x8x8, 4x3x3x3, [2 tensors]"
    assert shapes_of(first) == ""


def test_gzip_is_read_as_plain():
    data = trace_bytes([CONV])
    assert read(gzip.compress(data)).spans == read(data).spans


@pytest.mark.parametrize(
    ("more", "shift", "started"),
    [
        ({}, 0, "2023-11-14T22:13:20Z"),
        ({"baseTimeNanoseconds": STARTED_US * 1000}, -STARTED_US, "2023-11-14T22:13:20Z"),
        ({}, 5_000_000 - STARTED_US, None),  # counted from the start of the host
    ],
)
def test_versions_count_time_from_different_days(more, shift, started):
    read_back = read(trace_bytes([{**CONV, "ts": CONV["ts"] + shift}], **more))
    assert read_back.started == started
    assert read_back.spans[0].end == 10_000


def test_rank_and_devices_are_stated_or_not():
    assert read(trace_bytes([CONV])).rank is None
    more = {"distributedInfo": {"rank": 3, "backend": "nccl"}, "deviceProperties": [{"id": 0, "name": "A100"}]}
    stated = read(trace_bytes([CONV], **more))
    assert (stated.rank, stated.device_names) == ("3", {"cuda:0": "A100"})


@pytest.mark.parametrize(
    ("category", "kind", "device"),
    [
        ("kernel", "device", "cuda:0"),
        ("Kernel", "device", "cuda:0"),
        ("Memcpy", "device", "cuda:0"),
        ("hpu_op", "device", "hpu:0"),
        ("Operator", "operator", None),
        ("xpu_runtime", "launch", None),
        ("Runtime", "launch", None),
        ("cuda_driver", "launch", None),
    ],
)
def test_categories_of_all_versions_and_accelerators(category, kind, device):
    (span,) = read(trace_bytes([event(category, "work", 0, 5, process=0)])).spans
    assert (span.kind, span.device) == (kind, device)


def test_other_events_are_left_out_and_incomplete_ones_counted():
    less = {key: value for key, value in CONV.items() if key != "dur"}
    metadata = {"ph": "M", "name": "process_name", "pid": 0, "args": {"name": "python"}}
    stack = event("python_function", "train.py(3): main", 0, 50)
    read_back = read(trace_bytes([CONV, less, metadata, stack]))
    assert [span.name for span in read_back.spans] == ["aten::conv2d"]
    assert read_back.incomplete == 1


@pytest.mark.parametrize("number", ["inf", "-inf", "nan", "NaN", "Infinity"])
def test_numbers_that_json_lacks_are_read_over(number):
    data = trace_bytes([{**CONV, "args": {"memory bandwidth (GB/s)": "N"}}]).replace(b'"N"', number.encode())
    assert read(data).spans[0].name == "aten::conv2d"


def test_raw_control_characters_in_names_are_read_over():
    assert read(trace_bytes([{**CONV, "name": "a#b"}]).replace(b"a#b", b"a\x01b")).spans[0].name == "a b"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"not a trace", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (trace_bytes([CONV])[:-20], "not JSON.*cut off"),
        (b"[]", "should be an object, not a list"),
        (b"{}", "traceEvents: is missing"),
        (b'{"traceEvents": {}}', "traceEvents: should be a list"),
        (trace_bytes([]), "holds no operator or kernel"),
        (trace_bytes([{"ph": "M", "name": "process_name"}]), "holds no operator or kernel"),
        (trace_bytes([{**CONV, "dur": -5}]), r"traceEvents\[0\]\.dur: should be a number >= 0"),
        (trace_bytes([{**CONV, "ts": "soon"}]), r"traceEvents\[0\]\.ts: should be a number or null, not text"),
        (trace_bytes([{**CONV, "dur": 1e300}]), r"traceEvents\[0\]\.dur"),
        (gzip.compress(trace_bytes([CONV]))[:-12], "gzip is damaged or cut off"),
        (b"\x1f\x8bgarbage", "gzip is damaged or cut off"),
        (json.dumps([[[]]] * 2).encode(), "should be an object"),
        (b"[" * 100_000, "nested too deeply|not JSON|should be an object"),
    ],
)
def test_what_is_no_trace_is_one_line(data, message):
    with pytest.raises(InputError, match=message) as raised:
        read(data)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("t.json: ")


def test_a_small_file_cannot_unpack_to_any_size(monkeypatch):
    monkeypatch.setattr(trace, "MAX_TRACE_BYTES", 2**20)
    with pytest.raises(InputError, match="more than 1 MiB once unpacked; trace fewer steps"):
        read(gzip.compress(b" " * 2**21))
