from reports.chapters.sides.differences import differences
from reports.chapters.sides.frame import FAILED
from tests.reports.sources import LATENCIES, paired


def test_a_diff_table_has_what_differs_first_and_the_rest_folded(make_side):
    other = {**LATENCIES, "resnet50": 0.10, "resnet34": 0.01}
    source, _, _ = paired(make_side("cpu"), make_side("gpu", other, accelerator="H100", failed=["resnet18"]))
    (diff,) = differences(source)
    assert (diff.a, diff.b) == ("AMD EPYC 9B14", "H100")
    above, below = diff.differing, diff.folded
    assert [row[0].text for row in above.rows] == ["resnet34", "resnet50", "resnet18"]
    assert [row[0].text for row in below.rows] == ["resnet101"]
    assert dict(diff.counts) == {"faster": 1, "slower": 1, FAILED[1]: 1, "same": 1}
    assert above.heads == below.heads
    assert all(len(row) == len(above.heads) == len(above.numeric) for row in (*above.rows, *below.rows))
    assert diff.hidden == 0
    assert ["cuda:0.name", "unknown", "H100"] in [[cell.text for cell in row] for row in diff.environment.rows]
    row = dict(zip(above.heads, (cell.text for cell in above.rows[0]), strict=True))
    assert row["b over a"].startswith("4.0")
    assert row["± 95 %"].startswith("±")
    assert row["verdict on b"] == "faster"
