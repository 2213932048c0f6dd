import pytest

from reports.chapters.roofline.frames import advice_frame, products_only, roof_layers
from tests.conftest import _case
from tests.profiles import peaks, probe, profile


def test_layers_have_their_roof_where_the_device_is_known(profiled):
    other = profile(case=_case(model="resnet18", threads=1))
    frame = roof_layers(profiled(peaks(), profile(), other))
    assert len(set(frame["case"])) == 1
    assert frame["of_step"].iloc[0] == pytest.approx(frame["roof_s"].sum() / profile().step_s[0], rel=0.05)
    assert (products_only(frame)["flops"] > 0).all()
    assert frame["achieved"].max() > 0


def test_remedies_come_with_their_intervals(profiled):
    frame = advice_frame(profiled(peaks(), profile(probes=[probe(ratio=0.5)])))
    assert {"layout nhwc", "an implementation at the roof"} <= set(frame["remedy"])
    assert (frame["saves_low"] <= frame["saves_s"]).all()
    assert (frame["saves_s"] <= frame["saves_high"]).all()


def test_without_peaks_there_is_advice_and_no_roof(profiled):
    source = profiled(profile(probes=[probe(ratio=0.5)]))
    assert roof_layers(source).empty
    assert "layout nhwc" in set(advice_frame(source)["remedy"])
