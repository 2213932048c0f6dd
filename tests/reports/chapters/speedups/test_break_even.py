import math

import pytest
from msgspec import structs

from reports.chapters.speedups.break_even import (
    BREAK_EVEN_COLUMNS,
    MOST_BREAK_EVENS,
    break_even,
    break_evens,
    known,
    of_break_even,
)
from reports.style.columns import table
from reports.style.views import KNOWN_COUNTS
from results.storage import reader
from tests.reports.sources import source_of


@pytest.fixture
def frame(tmp_path, make_case, make_record, make_run, write_run):
    """A case that pays, one that never does, and one whose compilation failed."""
    records = []
    for model, gain in (("resnet18", 2.0), ("resnet34", 0.5), ("resnet50", None)):
        eager = make_case(model=model)
        compiled = make_case(model=model, runtime="compile")
        records.append(make_record(eager, latency_s=0.1, noise=0.001))
        if gain is None:
            records.append(make_record(compiled, status="error", cause="no compiler"))
            continue
        record = make_record(compiled, latency_s=0.1 / gain, baseline_latency_s=0.1, noise=0.001)
        facts = structs.replace(record.facts, compile_s=10.0, warm_compile_s=2.0)
        records.append(structs.replace(record, facts=facts))
    run = make_run(plan=dict.fromkeys(record.case for record in records))
    loaded = reader.load(write_run(tmp_path, records, run=run))
    return break_evens(source_of(loaded))


def test_what_pays_stands_at_its_steps_and_the_others_at_never(frame):
    figure = break_even(known(frame))
    cold = next(trace for trace in figure.data if trace.name == "cold cache")
    warm = next(trace for trace in figure.data if trace.name == "warm cache")
    assert figure.layout.yaxis.ticktext == ("resnet18", "resnet34")
    assert cold.x[0] == pytest.approx(10 / 0.05, rel=0.02)
    assert warm.x[0] == pytest.approx(2 / 0.05, rel=0.02)
    edge = dict(zip(figure.layout.xaxis.ticktext, figure.layout.xaxis.tickvals, strict=True))["never"]
    assert cold.x[1] == warm.x[1] == edge
    assert all(tick <= edge for tick in figure.layout.xaxis.tickvals)
    assert cold.marker.symbol != warm.marker.symbol
    assert "never" in cold.customdata[1]


def test_axes_that_are_counted_are_whole_numbers(frame):
    assert set(frame[list(KNOWN_COUNTS)].dtypes.astype(str)) == {"int64"}
    assert {"batch_size", "in_channels"} <= set(KNOWN_COUNTS)
    assert str(frame["image_size"].dtype) == "int64"  # all are square


def test_the_sentence_says_what_pays_soonest(frame):
    said = of_break_even(known(frame))
    assert said.index("resnet18") < said.index("batch 8") < said.index("200 steps") < said.index("1 of 2 cases")
    assert "resnet34" not in said
    never = frame[frame["model"] == "resnet34"]
    assert "never pays" in of_break_even(never)
    assert break_even(never).data


def test_a_failure_stands_in_the_table_only(frame):
    assert list(known(frame)["model"]) == ["resnet18", "resnet34"]
    shown = table(frame, ("model", "cold_steps", "warm_steps", "reason"), BREAK_EVEN_COLUMNS)
    texts = [[cell.text for cell in row] for row in shown.rows]
    assert texts[0][:3] == ["resnet18", "200", "40"]
    assert texts[1][:3] == ["resnet34", "never", "never"]
    assert texts[2][1] == "–"
    assert "no compiler" in texts[2][3]


def test_an_interval_that_reaches_never_ends_in_an_arrow(frame):
    open_ended = known(frame).head(1).assign(cold_high=math.inf)
    figure = break_even(open_ended)
    arrows = [trace for trace in figure.data if trace.marker.symbol == "triangle-right" and len(trace.x)]
    assert [len(trace.x) for trace in arrows] == [1]


def test_of_too_many_the_soonest_are_drawn_and_it_says_so(frame):
    import pandas as pd  # noqa: PLC0415

    first = known(frame).head(1)
    many = pd.concat(
        [first.assign(batch_size=index, cold_steps=200.0 + index) for index in range(MOST_BREAK_EVENS + 5)]
    )
    figure = break_even(many)
    assert len(figure.layout.yaxis.ticktext) == MOST_BREAK_EVENS
    assert figure.layout.annotations[0].text.startswith(
        f"the {MOST_BREAK_EVENS} that pay soonest of {MOST_BREAK_EVENS + 5}"
    )
