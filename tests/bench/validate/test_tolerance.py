import pytest

from bench.validate.tolerance import allowances
from results.schema.labels import PROMISES


def test_what_is_allowed_grows_with_the_epsilon_and_never_lets_a_gradient_of_zeros_pass(make_case):
    errors = {"output": 4e-7, "loss": 1e-9, "conv1.weight": 1e-6, "fc.bias": 0.5}
    allowed = {label: allowances(make_case(precision=label), errors) for label in ("fp32", "tf32", "bf16")}
    assert allowed["fp32"]["output"] == pytest.approx(2e-6)
    assert allowed["fp32"]["loss"] == pytest.approx(10 * 2**-23)
    assert allowed["tf32"]["output"] == pytest.approx(2**-10 * 2 * 4e-7 * 2**23)
    assert allowed["bf16"]["loss"] == pytest.approx(3 * 2**-7)
    assert allowed["fp32"]["conv1.weight"] < 0.02
    assert allowed["bf16"]["conv1.weight"] < 1
    assert "fc.bias" not in allowed["fp32"]  # the baseline itself cannot tell it


@pytest.mark.parametrize("label", PROMISES)
def test_each_precision_allows_some_error_and_less_than_all(make_case, label):
    allowed = allowances(make_case(precision=label), {"output": 1e-7, "conv1.weight": 1e-6})
    assert set(allowed) == {"output", "conv1.weight"}
    assert all(0 < limit < 1 for limit in allowed.values())


def test_a_baseline_in_a_lower_precision_excuses_no_result_in_fp32(make_case):
    allowed = allowances(make_case(), {"output": 2.0**-7, "loss": 2.0**-8})
    assert all(limit < 2.0**-8 for limit in allowed.values())
