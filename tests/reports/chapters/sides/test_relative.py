import pandas as pd
import pytest

from reports.chapters.sides.relative import MOST_RELATIVE, of_relative, relative_speeds
from tests.reports.sources import LATENCIES, paired


def test_relative_draws_ratios_with_their_intervals(make_side):
    faster = {
        model: latency / factor for (model, latency), factor in zip(LATENCIES.items(), (2, 4, 8, 16), strict=True)
    }
    _, _, frame = paired(make_side("cpu"), make_side("gpu", faster, accelerator="H100"))
    figure = relative_speeds(frame)
    assert figure.layout.yaxis.categoryarray == ("resnet18", "resnet34", "resnet50", "resnet101")  # from below
    (trace,) = figure.data
    ratios = dict(zip(trace.y, trace.x, strict=True))
    assert ratios["resnet101"] == pytest.approx(16, rel=0.01)
    place = trace.y.index("resnet101")
    row = frame[frame["model"] == "resnet101"].iloc[0]
    assert trace.x[place] + trace.error_x.array[place] == pytest.approx(row["ratio_high"])
    said = of_relative(frame)
    assert "(resnet18) to " in said
    assert said.endswith("Shown to be faster: 4 of 4; slower: 0.")


def test_of_too_many_variants_those_that_differ_most_are_drawn(make_side):
    _, _, frame = paired(make_side("cpu"), make_side("gpu", accelerator="H100"))
    row = frame.head(1)
    many = pd.concat(
        [row.assign(model=f"m{index}", ratio=1.0 + index) for index in range(MOST_RELATIVE + 3)], ignore_index=True
    )
    figure = relative_speeds(many)
    assert set(figure.data[0].y) == {f"m{index}" for index in range(3, MOST_RELATIVE + 3)}
    assert figure.layout.annotations[0].text == f"the {MOST_RELATIVE} of {MOST_RELATIVE + 3} variants that differ most"
