import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.profiling.attribution import attributed, nested
from bench.profiling.events import BACKWARD, MARK, MODULE, STEP, TraceEvent

TRAINING = ("forward", "backward", "optimizer")


def event(name, start, end, **fields):
    return TraceEvent(name=name, start=start, end=end, thread=fields.pop("thread", 1), **fields)


def module(name, start, end):
    return event(MODULE + name, start, end, annotation=True)


def step(*inside, end=1000, **fields):
    return [event(STEP, 0, end, annotation=True, **fields), *inside]


def seconds(answer, **wanted):
    """The nanoseconds of the rows with these values."""
    rows = [row for row in answer.rows if all(getattr(row, name) == value for name, value in wanted.items())]
    return round(1e9 * sum(row.self_s for row in rows))


def training():
    """A network of a convolution and a sum, its loss, its backward pass and its optimizer."""
    return step(
        module("(root)", 0, 400),
        module("conv1", 10, 200),
        event("aten::conv2d", 20, 190, sequence=5),
        event("aten::mkldnn_convolution", 30, 180, sequence=5, shapes="1x3, 8x3"),
        event("aten::add", 210, 300, sequence=6),
        event("aten::nll_loss_nd", 410, 450, sequence=7),
        event(MARK, 500, 500, annotation=True),
        event(BACKWARD + "NllLossBackward0", 510, 520, sequence=7),
        event("NllLossBackward0", 511, 519, sequence=7),
        event(BACKWARD + "AddBackward0", 530, 540, sequence=6),
        event(BACKWARD + "ConvolutionBackward0", 550, 700, sequence=5),
        event("aten::convolution_backward", 560, 690),
        event(BACKWARD + "torch::autograd::AccumulateGrad", 710, 730),
        event("aten::detach", 711, 725),
        event(MARK, 750, 750, annotation=True),
        event("Optimizer.step#SGD.step", 760, 900, annotation=True),
        event("aten::add_", 770, 890),
    )


def test_each_event_has_its_module_phase_and_class():
    answer = attributed(training(), TRAINING)
    assert seconds(answer, module="conv1", phase="forward", kind="convolution") == 170
    assert seconds(answer, name="aten::mkldnn_convolution", shapes="1x3, 8x3") == 150
    assert seconds(answer, module="(root)", phase="forward", kind="addition") == 90
    assert seconds(answer, module="conv1", phase="backward", kind="convolution") == 130
    assert seconds(answer, module="(root)", phase="backward") == 10
    assert seconds(answer, kind="loss", phase="forward") == 40
    assert seconds(answer, kind="loss", phase="backward") == 8
    assert seconds(answer, phase="optimizer", kind="optimizer") == 140
    assert {row.module for row in answer.rows if row.kind in {"loss", "optimizer"}} == {None}


def test_a_gradient_is_accumulated_for_the_node_before_it():
    assert seconds(attributed(training(), TRAINING), module="conv1", name="aten::detach") == 14


def test_the_rows_are_the_step():
    answer = attributed(training(), TRAINING)
    assert answer.profiled_s == pytest.approx(1000e-9)
    assert seconds(answer) == 1000
    assert seconds(answer, kind="unexplained") == 0
    assert seconds(answer, name="(between operators)") > 0
    assert answer.launch_bound is None


def test_the_main_thread_waits_for_a_backward_pass_in_another_thread():
    events = step(
        module("(root)", 0, 100),
        event("aten::conv2d", 10, 90, sequence=1),
        event(MARK, 100, 100),
        event(BACKWARD + "ConvolutionBackward0", 200, 700, sequence=1, thread=2),
    )
    answer = attributed(events, ("forward", "backward"))
    assert seconds(answer, module="(root)", phase="backward") == 500
    assert seconds(answer) == 1000
    assert seconds(answer, name="(between operators)") == 400


def test_what_is_computed_again_in_the_backward_pass_has_the_module_of_its_range():
    events = step(
        module("(root)", 0, 100),
        event("aten::conv2d", 10, 90, sequence=1),
        event(MARK, 100, 100),
        event(BACKWARD + "CheckpointBackward", 200, 700, sequence=1),
        module("layer1.0", 210, 600),
        event("aten::conv2d", 220, 590, sequence=9),
    )
    answer = attributed(events, ("forward", "backward"))
    assert seconds(answer, module="layer1.0", phase="backward", kind="convolution") == 370


def queue():
    """Two kernels that overlap, and one that waits for its launch."""
    return step(
        module("(root)", 0, 300),
        module("conv1", 0, 200),
        event("aten::conv2d", 10, 60, correlation=1, shapes="1x3"),
        event("cudaLaunchKernel", 20, 30, correlation=11),
        event("aten::relu_", 100, 150, correlation=2),
        event("cudaLaunchKernel", 110, 120, correlation=12),
        event("aten::copy_", 240, 290, correlation=3),
        event("cudaLaunchKernel", 250, 260, correlation=13),
        event("implicit_convolve_sgemm", 40, 140, device=True, correlation=11, operator=1),
        event("elementwise relu", 130, 180, device=True, correlation=12, operator=2),
        event("Memcpy DtoD", 270, 400, device=True, correlation=13, operator=3),
        end=500,
    )


def test_on_a_device_kernels_and_idle_time_are_the_step():
    answer = attributed(queue(), ("forward",))
    assert seconds(answer, module="conv1", kind="convolution", shapes="1x3") == 100
    assert seconds(answer, module="conv1", kind="activation") == 40  # what the convolution left of it
    assert seconds(answer, module="(root)", kind="copy") == 130
    assert seconds(answer, kind="idle") == 40 + 90 + 100
    assert seconds(answer) == 500
    # Of the gaps before kernels, what passed until the end of the launch: 30 of 40, and 80 of 90.
    assert answer.launch_bound == pytest.approx((30 + 80) / 230)


def test_a_kernel_that_nobody_launched_is_in_no_module():
    events = [*queue(), event("ncclDevKernel_AllReduce", 410, 450, device=True)]
    assert seconds(attributed(events, ("forward",)), module=None, kind="communication") == 40


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 100), st.booleans()), max_size=20))
def test_rows_are_never_negative_and_cover_the_step(intervals):
    events = step(*(event("aten::add", start, start + took, thread=1 + other) for start, took, other in intervals))
    answer = attributed(events, ("forward",))
    assert all(row.self_s >= 0 for row in answer.rows)
    assert sum(row.self_s for row in answer.rows) >= answer.profiled_s * (1 - 1e-9)


def test_events_are_nested_by_thread():
    nodes = nested([event("a", 0, 100), event("b", 10, 50), event("c", 20, 30), event("d", 60, 70, thread=2)])
    assert [(node.event.name, node.parent and node.parent.event.name, node.own) for node in nodes] == [
        ("a", None, 60),
        ("b", "a", 30),
        ("c", "b", 10),
        ("d", None, 10),
    ]
