import pytest

from results.analysis.profiles.advice import NEIGHBOURS, advice
from results.analysis.profiles.breakdown import layer_sums, rows_of, step_seconds
from tests.conftest import _case
from tests.profiles import peaks, probe, profile


def by_remedy(made, measured=None):
    return {each.what: each for each in advice(made, measured)}


def test_another_layout_saves_what_its_layers_would_save():
    made = profile(probes=[probe(ratio=0.5), probe(ratio=1.5, layers=("layer2.0.conv1",))])
    seconds = layer_sums(rows_of(made))
    first, second = seconds["layer1.0.conv1", "forward"], seconds["layer2.0.conv1", "forward"]
    layout = by_remedy(made)["layout"]
    assert layout.value == "nhwc"
    assert layout.saves_s == pytest.approx(0.5 * first - 0.5 * second)
    assert [gain.layer for gain in layout.layers] == ["layer1.0.conv1", "layer2.0.conv1"]
    slack = NEIGHBOURS * step_seconds(made)
    assert layout.low_s <= layout.saves_s - slack + 1e-12
    assert layout.high_s >= layout.saves_s + slack - 1e-12


def test_the_largest_gain_comes_first():
    probes = [probe(ratio=0.9), probe("precision", "amp-bf16", 0.4)]
    gains = [each.saves_s for each in advice(profile(probes=probes), peaks())]
    assert gains == sorted(gains, reverse=True)
    assert {"layout", "precision", "fusion", "ideal"} <= by_remedy(profile(probes=probes), peaks()).keys()


def test_every_interval_holds_its_value():
    for each in advice(profile(task="training", probes=[probe(), probe(phase="backward", ratio=0.8)]), peaks()):
        assert each.low_s <= each.saves_s <= each.high_s


def test_at_the_roof_nothing_is_left_but_the_difference():
    made = profile()
    ideal = by_remedy(made, peaks())["ideal"]
    assert 0 < ideal.saves_s < step_seconds(made)
    assert ideal.layers[0].layer == "layer1.0.conv1"


def test_what_is_compiled_already_gets_no_advice_to_compile():
    made = profile(case=_case(model="resnet18", runtime="compile"))
    assert by_remedy(made).keys().isdisjoint({"fusion"})


def test_without_peaks_nothing_is_said_about_the_roof():
    assert "ideal" not in by_remedy(profile())


@pytest.mark.parametrize("made", [profile(status="error", cause="no", operators=(), profiled_s=None)])
def test_a_failed_profile_gets_no_advice(made):
    assert advice(made, peaks()) == ()


def test_a_larger_batch_shares_the_host_s_time_between_operators():
    made = profile(probes=[probe("batch_size", "2", 0.8)])
    batch = by_remedy(made)["batch"]
    seconds = layer_sums(rows_of(made))["layer1.0.conv1", "forward"]
    between = rows_of(made).query("kind == 'overhead'")["self_s"].sum()
    assert batch.value == "2"
    assert batch.saves_s == pytest.approx(0.2 * seconds + between / 2)
    assert batch.low_s < 0.2 * seconds < batch.high_s


def test_each_layer_that_was_timed_has_its_own_interval():
    given = advice(profile(probes=[probe(ratio=0.5), probe("precision", "amp-bf16", 0.4)]), peaks())
    timed = [gain for each in given if each.what in {"layout", "precision"} for gain in each.layers]
    assert timed
    assert all(gain.low_s <= gain.saves_s <= gain.high_s for gain in timed)
    fused = [gain for each in given if each.what == "fusion" for gain in each.layers]
    assert all(gain.low_s is None for gain in fused)
