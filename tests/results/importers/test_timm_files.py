import pytest

from results.errors import InputError
from results.importers.reading import Options
from results.importers.timm_files import parsed, torch_version

FIELDS = ("task", "precision", "layout", "runtime", "torch", "cuda", "device", "chip")


def stated(name):
    """What the name of a file and the options state, in the order of `FIELDS`."""
    return tuple(name.axes.get(field) or getattr(name, field, None) for field in FIELDS)


# Names of files in the folder results of PyTorch Image Models.
NAMES = {
    "benchmark-infer-amp-nchw-pt240-cu124-rtx4090-dynamo": (
        *("inference", "amp-fp16", "nchw", "compile", "2.4.0", "12.4", "cuda:0", "RTX 4090"),
    ),
    "benchmark-infer-amp-nhwc-pt110-cu113-rtx3090": (
        *("inference", "amp-fp16", "nhwc", "eager", "1.10", "11.3", "cuda:0", "RTX 3090"),
    ),
    "benchmark-train-amp-nhwc-pt112-cu113-rtx3090": (
        *("training", "amp-fp16", "nhwc", "eager", "1.12", "11.3", "cuda:0", "RTX 3090"),
    ),
    "benchmark-infer-fp32-nchw-pt221-cpu-i9_10940x-dynamo": (
        *("inference", "fp32", "nchw", "compile", "2.2.1", None, "cpu", "Intel i9-10940X"),
    ),
    "benchmark-infer-amp-nchw-pt210-cu121-rtx3090": (
        *("inference", "amp-fp16", "nchw", "eager", "2.1.0", "12.1", "cuda:0", "RTX 3090"),
    ),
    "benchmark-infer-amp-nchw-pt291-cu130-5090": (
        *("inference", "amp-fp16", "nchw", "eager", "2.9.1", "13.0", "cuda:0", "RTX 5090"),
    ),
    "benchmark-infer-amp_bf16-nchw-pt291-cu130-pro6000maxq-dynamo": (
        *("inference", "amp-bf16", "nchw", "compile", "2.9.1", "13.0", "cuda:0", "RTX PRO 6000 Max-Q"),
    ),
    "benchmark-infer-bf16-nchw-pt291-cu130-a_new_one": (
        *("inference", "bf16", "nchw", "eager", "2.9.1", "13.0", "cuda:0", "a_new_one"),
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_file_tells_its_setting(name):
    found = parsed(name, Options())
    assert stated(found) == NAMES[name]
    assert found.unknown == ()


@pytest.mark.parametrize("name", ["benchmark", "model_benchmark_amp_nchw_rtx3090", "amp-nchw-dynamo", ""])
def test_another_name_tells_nothing(name):
    assert set(stated(parsed(name, Options()))) == {None}


def test_an_option_beats_the_name():
    name = "benchmark-infer-amp-nchw-pt240-cu124-rtx4090-dynamo"
    axes = {"task": "training", "precision": "bf16", "layout": "nhwc", "runtime": "eager"}
    found = parsed(name, Options(axes=axes, torch="2.5", device="NVIDIA H100"))
    assert stated(found) == (*axes.values(), "2.5", "12.4", "cuda:0", "NVIDIA H100")


@pytest.mark.parametrize(
    ("name", "option", "device", "chip"),
    [
        ("benchmark", "NVIDIA H100", "cuda:0", "NVIDIA H100"),
        ("benchmark", "cpu", "cpu", None),
        ("benchmark", "cpu:AMD EPYC", "cpu", "AMD EPYC"),
        ("benchmark-infer-fp32-nchw-pt240-cpu-x", "AMD EPYC", "cpu", "AMD EPYC"),
        ("benchmark-infer-fp32-nchw-pt240-cu124-x", "cpu:AMD EPYC", "cpu", "AMD EPYC"),
    ],
)
def test_a_device_is_an_accelerator_unless_it_is_said_to_be_a_cpu(name, option, device, chip):
    found = parsed(name, Options(device=option))
    assert (found.axes["device"], found.chip) == (device, chip)


def test_an_unknown_word_leaves_the_runtime_open():
    found = parsed("benchmark-infer-amp-nchw-pt240-cu124-rtx4090-nvfuser", Options())
    assert (found.axes.get("runtime"), found.chip, found.unknown) == (None, "RTX 4090", ("nvfuser",))


def test_an_option_that_is_no_choice_is_refused_with_the_choices():
    with pytest.raises(InputError, match=r"unknown precision 'amp' \(choices: fp32"):
        parsed("benchmark", Options(axes={"precision": "amp"}))


@pytest.mark.parametrize(
    ("digits", "version"),
    [("110", "1.10"), ("113", "1.13"), ("1121", "1.12.1"), ("190", "1.9.0"), ("210", "2.1.0"), ("2100", "2.10.0")],
)
def test_versions_are_written_without_points(digits, version):
    assert torch_version(digits) == version
