from pathlib import Path

import pytest
from msgspec import structs

from bench.suites.request import GivenCases, requested
from bench.suites.suite import load_suite
from bench.suites.values import DEFAULTS
from results.errors import InputError


@pytest.mark.parametrize(
    ("suite", "axes", "name"),
    [
        (None, None, "default"),
        (None, {"model": ["resnet18"]}, "custom"),
        ("quick", {"layout": ["nhwc"]}, "quick"),
        (load_suite("quick"), None, "quick"),
    ],
)
def test_a_suite_may_be_named_given_or_made_of_axes(suite, axes, name):
    request = requested(suite, axes, {"replicates": 4})
    assert request.name == name
    assert {settings.replicates for settings in request.settings.values()} == {4}


def test_a_path_is_that_of_a_suite(tmp_path):
    path = Path(tmp_path, "mine.toml")
    path.write_text('[[cases]]\nmodel = "resnet18"\n')
    assert requested(path, None, {}).name == "mine"


def test_axes_replace_those_of_a_given_suite():
    request = requested(load_suite("quick"), {"layout": ["nhwc"]}, {})
    assert {block.values("layout", "cpu") for block in request.blocks} == {("nhwc",)}


def test_given_cases_are_measured_once_each_as_they_are(make_case):
    case = make_case()
    wanted = GivenCases(cases=(case,), settings=structs.replace(DEFAULTS["cpu"], target=0.5))
    assert requested([case, case], None, {"target": 0.5}) == wanted


def test_axes_do_not_change_given_cases(make_case):
    with pytest.raises(InputError, match="axes change a suite"):
        requested([make_case()], {"layout": ["nhwc"]}, {})


def test_no_case_is_nothing_to_measure():
    with pytest.raises(InputError, match="no cases"):
        requested([], None, {})
