import pandas as pd
import pytest

from reports.style.views import CONTEXT, of_every_machine, split
from results.schema.axes import BASELINE
from tests.reports.sources import case_frame


def _rows(machine, rates, **axes):
    usual = dict.fromkeys(CONTEXT, "same") | BASELINE
    usual |= {"task": "inference", "batch_size": 8, "machine": machine}
    return [usual | axes | {"model": f"m{place}", "throughput_img_per_s": rate} for place, rate in enumerate(rates)]


@pytest.mark.parametrize(
    ("others", "first"),
    [
        (_rows("fast", (300.0, 500.0)), "fast"),
        (_rows("slow", (3.0, 5.0)), "usual"),
        (_rows("unknown", (None, None)), "usual"),
        (_rows("small", (900.0,)), "usual"),  # more models tell more than more speed
        (_rows("training", (900.0, 901.0), task="training"), "usual"),
        (_rows("batch", (900.0, 901.0), batch_size=1), "usual"),
    ],
)
def test_of_sets_alike_in_all_else_the_fastest_is_the_most_telling(others, first):
    usual = _rows("usual", (100.0, 200.0))
    for rows in (usual + others, others + usual):
        assert set(split(pd.DataFrame(rows), CONTEXT)[0].frame["machine"]) == {first}


def test_of_too_many_rows_every_machine_keeps_its_first():
    frame = case_frame(*({"machine": machine} for machine in "aaaabbc"))
    assert list(of_every_machine(frame, 5)["row"]) == [0, 1, 4, 5, 6]
    assert list(of_every_machine(frame, 7)["row"]) == list(range(7))
    assert list(of_every_machine(frame.drop(columns="machine"), 5)["row"]) == [0, 1, 2, 3, 4]
