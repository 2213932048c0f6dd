import pytest

from results.schema.axes import AXES
from results.schema.data_sheets import SHEETS, sheet_of


@pytest.mark.parametrize(
    ("name", "fp32"), [("NVIDIA A100-SXM4-80GB", 19.5e12), ("NVIDIA H100 80GB HBM3", 67e12), ("NVIDIA L4", 30.3e12)]
)
def test_a_device_is_known_by_its_name(name, fp32):
    assert {figure.what: figure.value for figure in sheet_of(name)}["fp32"] == fp32


@pytest.mark.parametrize("name", [None, "NVIDIA L40", "NVIDIA A100-PCIE-40GB", "Made-up GPU"])
def test_other_devices_have_no_figures(name):
    assert sheet_of(name) == ()


def test_every_figure_has_a_source_and_dense_arithmetic_grows_with_the_format():
    for figures in SHEETS.values():
        values = {figure.what: figure.value for figure in figures}
        assert all(figure.source for figure in figures)
        assert values.keys() - {"bandwidth"} <= set(AXES["precision"].choices)
        assert values["fp32"] < values["tf32"] < values["amp-bf16"]
        assert 1e11 < values["bandwidth"] < 1e13
