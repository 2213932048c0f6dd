import pytest

from reports.page.answer import answer, precision
from results.storage import reader
from tests.reports.sources import source_of
from tests.searches import write_search


@pytest.fixture
def make_frame(write_run, tmp_path_factory):
    def make(*records):
        return source_of(reader.load(write_run(tmp_path_factory.mktemp("runs"), records))).cases

    return make


def test_cases_without_an_interval_are_counted_apart(make_frame, make_case, make_record):
    frame = make_frame(
        make_record(make_case(batch_size=1)),
        make_record(make_case(batch_size=2), stop="budget"),
        make_record(make_case(batch_size=64), latency_s=9, turns=3, warmup=0, stop="budget"),
    )
    said = precision(frame)
    assert said.startswith("Of 2 latencies with a 95")
    assert "1 more has no interval" in said
    assert "2 of 3 cases ran out of time" in said


@pytest.mark.parametrize("stop", ["budget", "time-limit"])
def test_either_end_of_time_counts(make_frame, make_record, stop):
    frame = make_frame(make_record()).assign(stop=stop)
    assert "1 of 1 case ran out of time" in precision(frame)


def test_a_page_of_a_search_begins_with_the_winner(tmp_path):
    said = answer(source_of(write_search(tmp_path)), complete=True)
    assert said[0].startswith("resnet50 is fastest as amp-bf16 openvino nchw")
    assert len(said) == 1
