import dataclasses
import shutil
import sys

import pytest
import torch
import torch._dynamo

from bench.measure import precision
from bench.tasks.workload import build
from bench.validate import ran as audit
from results.schema.axes import AXES


@pytest.fixture(autouse=True)
def settings_of_torch():
    """Workers are alone in their process; these tests are not."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    precision.set_tf32(on=False)


@pytest.fixture
def tiny(make_case):
    def tiny(**axes):
        return make_case(**{"model": "cifar_resnet20", "batch_size": 2, "image_size": 32, "threads": 1, **axes})

    return tiny


def observe(case):
    return audit.observe(case, build(case))


@pytest.mark.parametrize(
    ("label", "weights", "compute", "autocast"),
    [
        ("fp32", "float32", "float32", None),
        ("amp-bf16", "float32", "bfloat16", "bfloat16"),
        ("amp-fp16", "float32", "float16", "float16"),
        ("bf16", "bfloat16", "bfloat16", None),
    ],
)
@pytest.mark.parametrize("task", ["inference", "training"])
def test_a_precision_is_what_really_runs(tiny, label, weights, compute, autocast, task):
    ran, unseen = observe(tiny(precision=label, task=task))
    assert unseen is None
    assert ran.parameter_dtypes == (weights,)
    assert ran.compute_dtypes == (compute,)
    assert ran.autocast == autocast
    assert ran.grad_scaler == (label == "amp-fp16" and task == "training")
    assert not ran.tf32_matmul
    assert not ran.tf32_convolution
    assert ran.threads == 1
    assert (ran.batch_size, ran.image_size, ran.in_channels) == (2, 32, 3)


@pytest.mark.parametrize("task", ["inference", "training"])
def test_the_sides_and_the_channels_of_an_image_are_seen(tiny, task):
    ran, _ = observe(tiny(image_size="24x40", in_channels=1, task=task))
    assert (ran.batch_size, ran.image_size, ran.in_channels) == (2, "24x40", 1)


@pytest.mark.parametrize("layout", AXES["layout"].choices)
def test_a_layout_survives_the_network(tiny, layout):
    assert observe(tiny(layout=layout))[0].layout == layout


def test_a_leaked_tf32_is_seen(tiny):
    case = tiny()
    work = build(case)
    precision.set_tf32(on=True)
    ran, _ = audit.observe(case, work)
    assert ran.tf32_matmul
    assert ran.tf32_convolution


def test_an_autotuner_and_determinism_are_recorded(tiny, monkeypatch):
    work = build(tiny())
    ran, _ = audit.observe(tiny(), work)
    assert (ran.cudnn_benchmark, ran.deterministic) == (False, False)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    ran, _ = audit.observe(tiny(), work)
    assert (ran.cudnn_benchmark, ran.deterministic) == (True, True)


def test_an_autocast_that_misses_a_layer_is_seen(tiny):
    case = tiny(precision="amp-bf16")
    work = build(case)
    conv = work.module.layer1[0].conv1
    whole = conv.forward

    def without_autocast(x):
        with torch.autocast("cpu", enabled=False):
            return whole(x.float())

    conv.forward = without_autocast
    assert audit.observe(case, work)[0].compute_dtypes == ("bfloat16", "float32")


def test_a_layer_of_another_layout_is_seen(tiny):
    case = tiny()
    work = build(case)
    work.module.layer1[0].conv1.to(memory_format=torch.channels_last)
    assert audit.observe(case, work)[0].layout == "mixed"


@pytest.mark.parametrize("task", ["inference", "training"])
def test_a_library_that_computes_float32_in_fewer_bits_is_seen(tiny, monkeypatch, task):
    monkeypatch.setattr(audit, "float32_formats", lambda device: ("float32", "bfloat16"))
    assert observe(tiny(task=task))[0].compute_dtypes == ("bfloat16", "float32")
    assert observe(tiny(task=task, precision="amp-bf16"))[0].compute_dtypes == ("bfloat16",)


def test_tf32_that_a_library_switches_on_is_seen_on_a_gpu(tiny, monkeypatch):
    monkeypatch.setattr(audit, "float32_formats", lambda device: ("tf32", "tf32"))
    work = build(tiny())
    ran, _ = audit.observe(tiny(device="cuda:0"), work)
    assert (ran.tf32_matmul, ran.tf32_convolution, ran.compute_dtypes) == (True, True, ("float32",))


@pytest.mark.parametrize(
    ("permitted", "formats", "expected"),
    [
        (True, ("tf32", "tf32"), (True, True)),
        (True, ("tf32", "float32"), (True, True)),  # a library may compute a shape without it
        (True, ("float32", "float32"), (False, False)),
        (False, ("float32", "float32"), (False, False)),
        (False, ("float32", "tf32"), (False, True)),
        (True, None, (True, True)),
    ],
)
def test_tf32_on_a_gpu_is_an_observation(permitted, formats, expected):
    precision.set_tf32(on=permitted)
    assert audit.tf32("cuda", formats) == expected


def test_threads_that_do_not_work_are_seen(tiny, monkeypatch):
    monkeypatch.setattr(audit, "working_threads", lambda: 1)
    assert observe(tiny(threads=2))[0].threads == 1


def test_a_batch_that_is_not_the_promised_one_is_seen(tiny):
    case = tiny(batch_size=4)
    assert audit.observe(case, build(tiny(batch_size=3)))[0].batch_size == 3


def test_only_the_forward_pass_is_looked_at_and_the_step_runs_to_its_end(tiny):
    case = tiny(task="training")
    work = build(case)
    before = work.module.fc.weight.detach().clone()
    nodes = audit.trace(work, lambda: None)
    assert not any("backward" in node["name"].lower() for node in nodes)
    assert not torch.equal(work.module.fc.weight, before)
    assert sys.getprofile() is None


def test_a_step_that_fails_leaves_the_next_look_possible(tiny):
    case = tiny()
    work = build(case)
    with pytest.raises(ZeroDivisionError):
        audit.trace(dataclasses.replace(work, step=lambda mark: 1 / 0), lambda: None)
    assert sys.getprofile() is None
    assert audit.observe(case, work)[1] is None


def test_where_no_convolution_is_called_the_settings_are_still_told(tiny):
    case = tiny()
    ran, unseen = audit.observe(case, dataclasses.replace(build(case), step=lambda mark: torch.zeros(2).add(1)))
    assert "could not be seen" in unseen
    assert (ran.compute_dtypes, ran.layout, ran.batch_size, ran.image_size) == ((), audit.UNSEEN, None, None)
    assert ran.threads == 1


def node(identity, above, name, kind="float", shape=(2, 16, 8, 8), strides=(1024, 64, 8, 1)):
    tensor = {"types": [f"Tensor({kind})"], "shapes": [list(shape)], "strides": [list(strides)]}
    return {"id": identity, "name": name, "ctrl_deps": above, "inputs": tensor, "outputs": tensor}


def test_the_innermost_convolution_counts_and_the_product_inside_it_does_not():
    nodes = [
        node(1, 1, "[pytorch|profiler|execution_trace|process]"),
        node(5, 3, "aten::mm"),
        node(3, 2, "aten::_slow_conv2d_forward", "c10::BFloat16"),
        node(2, 1, "aten::conv2d"),
        node(7, 6, "aten::addmm", "c10::Half"),
        node(6, 1, "aten::linear"),
        node(8, 1, "aten::convolution_backward"),
        node(9, 1, "triton_poi_fused_convolution_relu_1"),
        node(10, 1, "triton_tem_fused_convolution_2"),
        node(11, 1, "aten::cudnn_convolution"),
        node(12, 1, "mkldnn::_convolution_pointwise"),
    ]
    convolutions, linears = audit.products(nodes)
    assert [found["id"] for found in convolutions] == [3, 10, 11, 12]
    assert [found["id"] for found in linears] == [7]


NHWC = "nhwc"
IMAGES, STEM, PIXELS, LATER = (4, 3, 32, 32), (4, 64, 32, 32), (4, 64, 16, 16), (4, 128, 16, 16)
WEIGHTS = {"conv1": [64, 3, 3, 3], "conv2": [128, 64, 3, 3], "bn1": [64], "fc": [10, 128]}
BF16 = "c10::BFloat16"


def tensor(shape, kind=BF16, layout=NHWC):
    """Type, shape and strides of a tensor as a trace has them."""
    strides, inner = [0] * len(shape), 1
    for axis in (1, 3, 2, 0) if layout == NHWC and len(shape) == 4 else range(len(shape) - 1, -1, -1):
        strides[axis], inner = inner, inner * shape[axis]
    return f"Tensor({kind})", list(shape), strides


def kernel(identity, name, *tensors, outputs=()):
    """A node of a compiled graph: a kernel of Triton has arguments and no outputs, and sizes behind its tensors."""

    def columns(rows):
        return {key: [row[index] for row in rows] for index, key in enumerate(("types", "shapes", "strides"))}

    arguments = [*tensors, *([] if outputs else [("Int", [], [])])]
    return {"id": identity, "name": name, "ctrl_deps": 1, "inputs": columns(arguments), "outputs": columns(outputs)}


def seen(tiny, monkeypatch, *nodes, **axes):
    """What the audit makes of a trace of a compiled graph in amp-bf16 and nhwc."""
    module = torch.nn.Module()
    for name, shape in WEIGHTS.items():
        module.register_parameter(name, torch.nn.Parameter(torch.zeros(shape)))
    case = tiny(**{"batch_size": 4, "runtime": "compile:max-autotune-no-cudagraphs", "precision": "amp-bf16", **axes})
    root = node(1, 1, "[pytorch|profiler|execution_trace|process]")
    monkeypatch.setattr(audit, "trace", lambda workload, look: [root, *nodes])
    return audit.observe(case, dataclasses.replace(build(tiny()), module=module))[0]


STEM_TEMPLATE = kernel(
    2, "triton_tem_fused__to_copy_convolution_0", tensor(IMAGES), tensor(WEIGHTS["conv1"]), tensor(STEM)
)
EXTERN = kernel(3, "aten::cudnn_convolution", tensor(PIXELS), tensor(WEIGHTS["conv2"]), outputs=(tensor(LATER),))
FUSED = kernel(
    4,
    "triton_tem_fused_add_convolution_native_batch_norm_relu_3",
    tensor(PIXELS),
    tensor(WEIGHTS["conv2"]),
    tensor(LATER),
    *[tensor([128], "float")] * 4,
    tensor(LATER),
)
POINTWISE = kernel(5, "triton_poi_fused_convolution_relu_4", tensor(LATER, "float", "nchw"))
PRODUCT = kernel(6, "triton_tem_fused_addmm_5", tensor([4, 128]), tensor([10, 128]), tensor([10]), tensor([4, 10]))


def test_a_graph_of_triton_alone_is_seen_by_the_arguments_of_its_kernels(tiny, monkeypatch):
    ran = seen(tiny, monkeypatch, STEM_TEMPLATE, FUSED, POINTWISE, PRODUCT)
    assert (ran.compute_dtypes, ran.layout) == (("bfloat16",), "nhwc")
    assert (ran.batch_size, ran.image_size, ran.in_channels) == (4, 32, 3)


def test_a_later_convolution_of_a_compiled_graph_is_not_taken_for_the_first(tiny, monkeypatch):
    ran = seen(tiny, monkeypatch, POINTWISE, EXTERN, FUSED, PRODUCT)
    assert (ran.batch_size, ran.image_size, ran.in_channels) == (None, None, None)
    assert (ran.compute_dtypes, ran.layout) == (("bfloat16",), "nhwc")
    ran = seen(tiny, monkeypatch, EXTERN, STEM_TEMPLATE)
    assert (ran.batch_size, ran.image_size, ran.in_channels) == (4, 32, 3)


def test_without_a_compiler_the_first_convolution_is_that_of_the_images(tiny, monkeypatch):
    images = kernel(2, "aten::cudnn_convolution", tensor((4, 1, 32, 32)), outputs=(tensor(STEM),))
    assert seen(tiny, monkeypatch, images, runtime="eager").in_channels == 1


def test_a_kernel_of_triton_in_another_dtype_or_layout_is_seen(tiny, monkeypatch):
    single = kernel(7, "triton_tem_fused_convolution_6", *(tensor(shape, "float", "nchw") for shape in (PIXELS, LATER)))
    ran = seen(tiny, monkeypatch, STEM_TEMPLATE, single)
    assert (ran.compute_dtypes, ran.layout) == (("bfloat16", "float32"), "mixed")


def test_a_kernel_of_triton_with_several_dtypes_accuses_nobody(tiny, monkeypatch):
    fused = kernel(7, "triton_tem_fused_convolution_6", tensor(PIXELS), tensor(LATER), tensor(LATER, "float", "nchw"))
    assert seen(tiny, monkeypatch, fused).layout == audit.UNSEEN
    ran = seen(tiny, monkeypatch, STEM_TEMPLATE, fused)
    assert (ran.compute_dtypes, ran.layout) == (("bfloat16",), "nhwc")


def test_kernels_of_triton_are_shown_to_the_trace_of_the_forward_pass_only(tiny):
    """Inductor looks at this flag of torch before each launch, and adds its kernel to the trace while it is set."""
    work = build(tiny(task="training"))
    step, flags = work.step, []

    def watched(mark):
        def marked():
            flags.append(torch.autograd.profiler._is_profiler_enabled)
            mark()
            flags.append(torch.autograd.profiler._is_profiler_enabled)

        return step(marked)

    audit.trace(dataclasses.replace(work, step=watched), lambda: None)
    assert flags == [True, False, False, False]
    with pytest.raises(ZeroDivisionError):
        audit.trace(dataclasses.replace(work, step=lambda mark: 1 / 0), lambda: None)
    assert not torch.autograd.profiler._is_profiler_enabled


@pytest.mark.parametrize(
    ("shape", "strides", "layout"),
    [
        ((2, 16, 8, 8), (1024, 64, 8, 1), "nchw"),
        ((2, 16, 8, 8), (1024, 1, 128, 16), "nhwc"),
        ((2, 1, 8, 8), (64, 1, 8, 1), audit.UNSEEN),
        ((2, 16, 1, 1), (16, 1, 1, 1), audit.UNSEEN),
    ],
)
def test_one_channel_or_one_pixel_is_of_both_layouts(shape, strides, layout):
    assert audit.layout([node(1, 1, "aten::convolution", shape=shape, strides=strides)]) == layout


@pytest.mark.skipif(shutil.which("g++") is None and shutil.which("clang++") is None, reason="no C++ compiler here")
def test_a_compiled_graph_is_seen_as_it_is_and_not_compiled_again(tiny, tmp_path, monkeypatch):
    class Small(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 8, 3)
            self.fc = torch.nn.Linear(8, 10)

        def forward(self, x):
            return self.fc(self.conv(x).relu().mean((2, 3)))

    torch._dynamo.reset()
    monkeypatch.setattr("bench.tasks.networks.create_network", lambda name, **_: Small())
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    case = tiny(runtime="compile", precision="amp-bf16", layout="nhwc")
    work = build(case)
    with work.context():
        work.step(lambda: None)
    graphs = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    ran, unseen = audit.observe(case, work)
    assert unseen is None
    assert (ran.compute_dtypes, ran.layout, ran.autocast) == (("bfloat16",), "nhwc", "bfloat16")
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == graphs
