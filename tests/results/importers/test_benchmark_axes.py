import pytest

from results.errors import InputError
from results.importers.benchmark_axes import UnmeasurableError, said_chip, settled_precision, stated_axes


def stated(**params):
    """The axes that parameters state; nothing may be skipped."""
    return stated_axes("x", {"extra_info": None, "params": params}, pytest.fail)


SPELLINGS = [
    ("precision", "fp16", {"dtype": "float16"}),
    ("precision", "fp16", {"dtype": "torch.float16"}),
    ("precision", "fp16", {"dtype": "UNSERIALIZABLE[torch.float16]"}),
    ("precision", "fp16", {"torch_dtype": "half"}),
    ("precision", "fp16", {"half": True}),
    ("precision", "bf16", {"dtype": "bfloat16"}),
    ("precision", "fp32", {"dtype": "Float32"}),
    ("precision", "tf32", {"dtype": "tf32"}),
    ("precision", "amp", {"amp": True}),
    ("precision", "amp", {"precision": "amp"}),
    ("precision", "amp", {"amp": True, "dtype": "float32"}),
    ("precision", "amp-fp16", {"amp": True, "dtype": "float16"}),
    ("precision", "amp-bf16", {"autocast": "bfloat16"}),
    ("precision", "amp-bf16", {"precision": "amp_bf16"}),
    ("precision", "amp-fp16", {"mixed_precision": "fp16"}),
    ("precision", "fp32", {"amp": False, "dtype": "float32"}),
    ("device", "cpu", {"device": "CPU"}),
    ("device", "cuda:0", {"device": "cuda"}),
    ("device", "cuda:1", {"device": "cuda:1"}),
    ("device", "cuda:1", {"device": 1}),
    ("device", "cuda:0", {"device": "UNSERIALIZABLE[device(type='cuda')]"}),
    ("device", "cuda:2", {"device": "UNSERIALIZABLE[device(type='cuda', index=2)]"}),
    ("device", "mps:0", {"device": "mps"}),
    ("device", "xpu:0", {"device": "xpu"}),
    ("batch_size", 8, {"bs": 8}),
    ("batch_size", 8, {"batch": 8}),
    ("batch_size", 8, {"batch_size": "UNSERIALIZABLE[np.int64(8)]"}),
    ("image_size", 64, {"img_size": 64}),
    ("layout", "nhwc", {"channels_last": True}),
    ("layout", "nchw", {"channels_last": False}),
    ("layout", "nhwc", {"memory_format": "UNSERIALIZABLE[torch.channels_last]"}),
    ("layout", "nchw", {"memory_format": "contiguous_format"}),
    ("layout", "nhwc", {"layout": "NHWC"}),
    ("runtime", "compile", {"compile": True}),
    ("runtime", "eager", {"torch_compile": False}),
    ("runtime", "compile", {"backend": "inductor"}),
    ("runtime", "compile:max-autotune", {"compile": True, "mode": "max-autotune"}),
    ("task", "training", {"mode": "train"}),
    ("task", "inference", {"training": False}),
    ("threads", 4, {"num_threads": 4}),
    ("model", "resnet50", {"arch": "resnet50"}),
]


@pytest.mark.parametrize(("axis", "value", "params"), SPELLINGS, ids=str)
def test_what_people_write_is_read(axis, value, params):
    assert stated(**params) == {axis: value}


def test_a_shape_states_the_size_and_the_channels():
    assert stated(input_size=[1, 64, 48]) == {"image_size": "64x48", "in_channels": 1}


@pytest.mark.parametrize(
    "params",
    [
        {"backend": "nccl"},
        {"mode": "default"},
        {"task": "classification"},
        {"resolution": "high"},
        {"amp": False},
        {"mixed_precision": "no"},
        {"memory_format": "torch.preserve_format"},
        {"compile": None},
        {"size": 8},
    ],
)
def test_what_speaks_of_something_else_says_nothing(params):
    assert stated(**params) == {}


@pytest.mark.parametrize("dtype", ["float64", "torch.float8_e4m3fn", "int4", "complex64"])
def test_a_dtype_without_a_precision_is_no_case(dtype):
    with pytest.raises(UnmeasurableError, match=r"^x\.params\.dtype: .* is none of fp32, "):
        stated(dtype=dtype)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"precision": "fp32", "dtype": "float16"}, "precision: precision says fp32 and dtype says fp16; correct"),
        ({"batch_size": 8, "bs": 4}, "batch_size: batch_size says 8 and bs says 4; correct the file"),
        ({"runtime": "eager", "compile": True}, "runtime: runtime says eager and compile says compile"),
        ({"batch_size": 1.5}, "batch_size: '1.5' is not a whole number"),
        ({"layout": 3}, "layout: '3' is not text"),
    ],
)
def test_contradictions_and_wrong_types_are_refused(params, message):
    with pytest.raises(InputError, match=message):
        stated(**params)


def test_extra_info_counts_before_params():
    sources = {"extra_info": {"dtype": "float16"}, "params": {"precision": "fp32", "bs": 2}}
    assert stated_axes("x", sources, pytest.fail) == {"batch_size": 2, "precision": "fp16"}


def test_a_model_without_a_name_is_skipped():
    skipped = []
    sources = {"extra_info": {"model": ["x"]}, "params": {"model": "UNSERIALIZABLE[Net()]", "arch": "resnet18"}}
    assert stated_axes("x", sources, lambda *each: skipped.append(each)) == {"model": "resnet18"}
    assert [path for path, _ in skipped] == ["x.extra_info.model", "x.params.model"]


@pytest.mark.parametrize(
    ("precision", "device", "settled"),
    [("amp", "cpu", "amp-bf16"), ("amp", "cuda:0", "amp-fp16"), ("fp32", "cpu", "fp32")],
)
def test_autocast_has_the_dtype_of_its_device(precision, device, settled):
    assert settled_precision(precision, device) == settled


def test_a_chip_is_no_word_for_a_device():
    assert said_chip("cuda:0", [{"gpu": "cuda"}, {"gpu": 3, "gpu_name": "NVIDIA T4"}]) == "NVIDIA T4"
    assert said_chip("cuda:0", [{}]) is None
    assert said_chip("NVIDIA A100", []) == "NVIDIA A100"
