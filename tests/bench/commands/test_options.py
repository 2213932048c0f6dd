import inspect
from typing import get_args

import pytest
import typer
from typer.testing import CliRunner

from bench.commands import options
from bench.commands.options import axis_value, single, split, with_axes
from bench.suites import SUITE_AXES
from reports.text.grid import FORMATS
from results.errors import InputError
from results.schema.axes import AXES, Axis


@pytest.fixture
def axes(monkeypatch):
    """The axes, with two that no other code knows."""
    more = {
        "flavour": Axis(role="setting", kind="word", help="Taste.", heading="taste", choices=("sweet", "sour")),
        "spoons": Axis(role="workload", kind="count", help="Amount.", heading="spoons", default=1),
    }
    monkeypatch.setattr(options, "AXES", AXES | more)
    return tuple(more)


def _called(names, *arguments, **how):
    calls = []

    @with_axes(names, **how)
    def command(word: str = "", *, axes, flag: bool = False) -> None:
        calls.append((word, axes, flag))

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(command)
    result = CliRunner().invoke(app, list(arguments))
    return result, calls


def test_an_axis_that_is_declared_has_an_option(axes):
    arguments = ["--word", "x", "--flavour", "sweet,sour", "--spoons", "1, 2", "--spoons", "3", "--flag"]
    result, calls = _called(axes, *arguments)
    assert result.exit_code == 0, result.output
    assert calls == [("x", {"flavour": ["sweet", "sour"], "spoons": [1, 2, 3]}, True)]


def test_an_option_that_is_not_given_is_left_out(axes):
    assert _called(axes)[1] == [("", {}, False)]


def test_an_option_of_a_single_value_is_not_split(axes):
    result, calls = _called(axes, "--spoons", "2", several=False)
    assert result.exit_code == 0, result.output
    assert [single(values) for _, values, _ in calls] == [{"spoons": 2}]


def test_the_help_of_an_option_is_that_of_its_axis_and_its_choices(axes):
    result, _ = _called(axes, "--help")
    text = " ".join(result.output.replace("│", " ").split())
    assert "Taste (sweet, sour)." in text
    assert "Amount." in text


def test_the_options_stand_where_the_parameter_stood(axes):
    @with_axes(axes)
    def command(word: str = "", *, axes, flag: bool = False) -> None:
        """Do nothing."""

    assert list(inspect.signature(command).parameters) == ["word", "flavour", "spoons", "flag"]
    assert command.__doc__ == "Do nothing."


def test_every_axis_but_the_device_is_a_suites():
    assert set(AXES) - set(SUITE_AXES) == {"device"}


@pytest.mark.parametrize(("text", "problem"), [("two", "is not a whole number"), ("", "is not"), ("0", ">= 1")])
def test_what_counts_is_a_whole_number_from_1(text, problem):
    with pytest.raises(InputError, match=f"batch_size: .*{problem}"):
        axis_value("batch_size", text)


def test_a_value_may_be_repeated_or_comma_separated():
    assert split(["a, b", "c"]) == ["a", "b", "c"]


def test_the_formats_are_those_of_the_texts():
    declared = [get_args(get_args(option)[0]) for option in (options.Format, options.CommentFormat)]
    assert declared == [FORMATS, (*FORMATS, "github")]
    assert not any(f'"{form}", "' in inspect.getsource(options) for form in FORMATS)  # nowhere spelled again
