"""Run files that Hypothesis made, from sound ones and from nothing, each line with its true checksum."""

import copy
import json
import math
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.errors import InputError
from results.storage.lines import DamagedLineError, decode, encode

shared_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

WORDS = (
    "",
    "<script>",
    "=cmd",
    "../x",
    "|",
    "x" * 129,
    "\x1b[31m",
    "a\0b",
    "\u202e",
    "a\nb",
    "\ud800",
    "\u2028",
    "\N{PILE OF POO}",
)


def written(folder, contents, sealed, name="run.jsonl"):
    path = folder / name
    path.write_bytes(b"".join(map(sealed, contents)))
    return path


NASTY = st.one_of(
    st.sampled_from(
        [None, True, False, -1, 0, 1, 2**31, 2**62, 2**63, -(2**63), 10**30, 0.0, -0.0, 0.5, 1e-9, 1e9, 5e-324, 1e300]
    ),
    st.sampled_from([math.nan, math.inf, -math.inf]),
    st.sampled_from([*WORDS, "1", "nan", "cpu", "cuda:0", "ok", "crash", "fp32", "training", "compile"]),
    st.text(max_size=20),
    st.lists(st.floats(), max_size=3),
    st.just({}),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


def mutate(content, data):
    """Change one thing somewhere in `content`: another value, one thing less, one more, or two that change places."""
    place = content
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if isinstance(inner, dict | list) and inner and data.draw(st.integers(0, 5)):
            place = inner
            continue
        match data.draw(st.sampled_from(["replace", "replace", "replace", "delete", "swap", "add"])):
            case "replace":
                place[key] = data.draw(NASTY)
            case "delete":
                del place[key]
            case "swap":
                other = data.draw(st.sampled_from(keys))
                place[key], place[other] = place[other], inner
            case "add" if isinstance(place, dict):
                place[data.draw(st.text(max_size=8))] = data.draw(NASTY)
            case "add":
                place.append(data.draw(NASTY))
        return


@settings(shared_folder, max_examples=120)
@given(data=st.data())
def test_a_mutated_run_file_is_refused_or_shown(call, folder, run_lines, sealed, data):
    changed = copy.deepcopy(run_lines)
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(changed[data.draw(st.integers(0, len(changed) - 1))], data)
    path = written(folder, changed, sealed)
    form = data.draw(st.sampled_from(["table", "json", "csv", "markdown"]))
    called = call("table", path, "--format", form)
    assert called.code in {0, 2}
    if called.code == 0 and form == "json":
        json.loads(called.out, parse_constant=pytest.fail)


@settings(shared_folder, max_examples=10)
@given(data=st.data())
def test_a_mutated_run_file_is_drawn_and_compared(call, call_writing, folder, run_lines, sealed, data):
    changed = copy.deepcopy(run_lines)
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(changed[data.draw(st.integers(0, len(changed) - 1))], data)
    written(folder, [{**run_lines[0], "body": {**run_lines[0]["body"], "id": "sound"}}, *run_lines[1:]], sealed, "a")
    path = written(folder, changed, sealed)
    assert call("compare", "a", path).code in {1, 2, 3}
    assert call_writing("report", path, "-o", "page.html").code in {0, 2}


@settings(shared_folder, max_examples=900)
@given(data=st.data())
def test_a_mutated_line_is_damaged_or_survives_being_written_again(run_lines, sealed, data):
    changed = copy.deepcopy(data.draw(st.sampled_from(run_lines)))
    mutate(changed, data)
    complaint = ""
    try:
        number, body = decode(sealed(changed).removesuffix(b"\n"))
    except (DamagedLineError, InputError) as error:
        complaint = str(error)
    else:
        assert decode(encode(number, body).removesuffix(b"\n")) == (number, body)
    assert len(complaint) <= 400
    assert "\n" not in complaint


@settings(shared_folder, max_examples=400)
@given(
    content=st.dictionaries(
        st.sampled_from(["line", "body", "header", "static", "record", "resumed", "end", "x"]), JSON
    )
)
def test_any_json_with_its_true_checksum_is_damaged(sealed, content):
    with pytest.raises((DamagedLineError, InputError)) as caught:
        decode(sealed(content).removesuffix(b"\n"))
    assert "\n" not in str(caught.value)


@settings(shared_folder, max_examples=60)
@given(content=st.binary(max_size=200), seed=st.integers(0, 2**32))
def test_any_bytes_are_refused_or_left_out(call, folder, run_lines, sealed, content, seed):
    path = folder / "run.jsonl"
    path.write_bytes(content)
    assert call("table", path).code == 2
    sound = b"".join(map(sealed, run_lines))
    where = random.Random(seed).randrange(len(sound))
    path.write_bytes(sound[:where] + content + sound[where + len(content) :])
    assert call("table", path).code in {0, 2}
