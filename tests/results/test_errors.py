import pytest

from results.errors import InputError, suggestion

CHOICES = ("resnet18", "resnet50", "wide_resnet50_2")


@pytest.mark.parametrize(("word", "nearest"), [("resnt50", "resnet50"), ("resnet-18", "resnet18")])
def test_the_nearest_choice_is_suggested(word, nearest):
    assert suggestion(word, CHOICES) == f"; did you mean {nearest!r}?"


@pytest.mark.parametrize(("word", "choices"), [("vgg16", CHOICES), ("", CHOICES), ("resnet50", ())])
def test_without_a_near_choice_nothing_is_suggested(word, choices):
    assert suggestion(word, choices) == ""


def test_choices_may_be_read_only_once():
    assert "resnet50" in suggestion("resnt50", iter(CHOICES))


def test_bad_input_is_a_value_error():
    assert issubclass(InputError, ValueError)
