import pandas as pd

from reports.style.rows import each


def test_rows_are_objects_whose_attributes_are_the_columns():
    frame = pd.DataFrame({"model": ["resnet18", "resnet50"], "batch_size": [1, 8]}, index=[7, 3])
    assert [(row.model, row.batch_size) for row in each(frame)] == [("resnet18", 1), ("resnet50", 8)]


def test_values_keep_their_types():
    frame = pd.DataFrame({"count": [1], "seconds": [0.5], "notes": [("a", "b")], "cause": [None]})
    (row,) = each(frame)
    assert (type(row.count), type(row.seconds)) == (int, float)
    assert row.notes == ("a", "b")
    assert row.cause is None


def test_rows_come_only_when_they_are_asked_for():
    rows = each(pd.DataFrame({"model": ["a", "b"]}))
    assert next(rows).model == "a"
    assert [row.model for row in rows] == ["b"]


def test_no_rows_give_none():
    assert list(each(pd.DataFrame({"model": []}))) == []
