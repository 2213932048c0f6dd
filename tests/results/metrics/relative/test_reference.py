import pytest

from results.errors import InputError
from results.metrics.relative.reference import reference


@pytest.fixture
def cases(make_case):
    """Cases of models, each in eager mode and compiled, at both batch sizes; of the larger batch there are more."""

    def make(*models):
        axes = ({"batch_size": 1}, {}, {"runtime": "compile"}, {"layout": "nhwc"})
        return [make_case(model=model, **own) for model in models for own in axes]

    return make


def test_it_is_the_baseline_of_the_usual_model_in_the_most_frequent_conditions(cases, make_case):
    assert reference(cases("resnet18", "resnet50", "resnet101")) == make_case(model="resnet50")


def test_without_the_usual_model_it_is_the_model_with_the_most_cases_then_the_first(cases, make_case):
    assert reference(cases("resnet34", "resnet18")) == make_case(model="resnet34")
    more = [*cases("resnet34", "resnet18"), make_case(model="resnet18", precision="bf16")]
    assert reference(more) == make_case(model="resnet18")


def test_a_model_or_a_case_can_be_named(cases, make_case):
    plan = cases("resnet18", "resnet50")
    assert reference(plan, "resnet18") == make_case(model="resnet18")
    named = make_case(model="resnet18", layout="nhwc")
    assert reference(plan, named.key) == named


def test_a_model_without_a_baseline_has_its_most_frequent_case(make_case):
    plan = [make_case(batch_size=1, runtime="compile"), make_case(runtime="compile"), make_case(layout="nhwc")]
    assert reference(plan) == make_case(runtime="compile")


def test_an_unknown_name_is_an_error_of_a_line(cases):
    with pytest.raises(InputError) as caught:
        reference(cases("resnet18", "resnet50"), "resnet999", run="base")
    assert str(caught.value) == (
        "no case of resnet999 in base, so it cannot be the reference; measured: resnet18, resnet50"
    )
    many = cases(*(f"resnet{index}" for index in range(20)))
    with pytest.raises(InputError, match=r"resnet7 and 12 more$"):
        reference(many, "a\nb")


def test_no_cases_have_no_reference():
    assert reference([]) is None
