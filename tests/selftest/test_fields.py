from results.statistics import allpairs
from tests.selftest import fields


def test_no_promise_on_rankings_is_broken():
    rows = list(fields.field_rows(quick=True))
    assert [row for row in rows if row.kept is False] == []
    assert all(row.what and row.figure and row.bound for row in rows)


def test_without_the_correction_for_all_pairs_the_promise_would_break(monkeypatch):
    monkeypatch.setattr(allpairs, "holm", list)
    pairs, anything, _ = fields.field_rows(quick=True)
    assert pairs.kept is not True
    assert anything.kept is False
