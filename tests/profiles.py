"""Made-up profiles, peaks and memory of a small network: a stem, two stages of two convolutions, a classifier."""

from results.schema.lines.memory import Memory, MemoryParts, MemoryPoint
from results.schema.lines.peaks import Bandwidth, ComputePeak, Peaks
from results.schema.lines.profile import LayerProbe, LayerWork, OperatorTime, Profile, ProfiledModule
from tests.conftest import _case

STARTED = "2026-11-27T05:00:00+00:00"
LAYERS = (
    ("conv1", "Conv2d", "aten::mkldnn_convolution", "convolution", 4e-4),
    ("bn1", "BatchNorm2d", "aten::native_batch_norm", "normalisation", 1e-4),
    ("relu", "ReLU", "aten::clamp_min_", "activation", 5e-5),
    ("layer1.0.conv1", "Conv2d", "aten::mkldnn_convolution", "convolution", 8e-4),
    ("layer1.0.bn1", "BatchNorm2d", "aten::native_batch_norm", "normalisation", 1e-4),
    ("layer1.0.relu", "ReLU", "aten::clamp_min_", "activation", 5e-5),
    ("layer2.0.conv1", "Conv2d", "aten::mkldnn_convolution", "convolution", 6e-4),
    ("layer2.0.bn1", "BatchNorm2d", "aten::native_batch_norm", "normalisation", 5e-5),
    ("fc", "Linear", "aten::addmm", "linear", 2e-5),
)
"""Name, type, operator, kind and forward seconds of each leaf module."""
OVERHEAD_S = 1e-4
UNEXPLAINED_S = 1e-5


def operator(name="aten::mkldnn_convolution", **fields):
    """A row of a profile on the CPU."""
    usual = {"kind": "convolution", "phase": "forward", "module": "conv1", "shapes": "1x3x64x64, 8x3x3x3", "calls": 1}
    row = {**usual, "self_s": 1e-4, **fields}
    return OperatorTime(name=name, **{"host_s": row["self_s"], **row})


def operators(*, trains=False, scale=1.0):
    """The rows of a step; training computes each layer backward in twice its forward time, and updates the weights."""
    rows = []
    for module, _, name, kind, seconds in LAYERS:
        rows.append(operator(name, kind=kind, module=module, self_s=scale * seconds))
        if trains:
            backward = {"phase": "backward", "module": module, "self_s": 2 * scale * seconds}
            rows.append(operator(f"{name}_backward", kind=kind, **backward))
    if trains:
        outside = {"module": None, "shapes": ""}
        rows.append(operator("aten::nll_loss_forward", kind="loss", self_s=scale * 1e-5, **outside))
        rows.append(operator("aten::add_", kind="optimizer", phase="optimizer", self_s=scale * 3e-4, **outside))
    rest = {"phase": "other", "module": None, "shapes": "", "calls": 0}
    rows.append(operator("(between operators)", kind="overhead", self_s=scale * OVERHEAD_S, **rest))
    rows.append(operator("(unexplained)", kind="unexplained", self_s=scale * UNEXPLAINED_S, **rest))
    return tuple(rows)


def works(*, trains=False, batch_size=1):
    """What each layer has to do: a convolution does 40 million FLOPs an image."""
    phases = ("forward", "backward") if trains else ("forward",)
    rows = []
    for phase in phases:
        for name, kind, *_ in LAYERS:
            flops = {"Conv2d": 40_000_000, "Linear": 100_000}.get(kind, 0)
            moved = 400_000 if kind != "Linear" else 50_000
            double = 2 if phase == "backward" else 1
            rows.append(
                LayerWork(
                    name=name,
                    type=kind,
                    stage=name.split(".")[0],
                    phase=phase,
                    flops=double * batch_size * flops,
                    bytes=double * batch_size * moved,
                    fused_bytes=double * batch_size * moved if kind in {"Conv2d", "Linear"} else 0,
                )
            )
    return tuple(rows)


def modules():
    """Every module, the network itself first."""
    names = [("(root)", "ResNet", "(root)"), ("layer1", "Sequential", "layer1"), ("layer2", "Sequential", "layer2")]
    names += [("layer1.0", "BasicBlock", "layer1"), ("layer2.0", "BasicBlock", "layer2")]
    names += [(name, kind, name.split(".")[0]) for name, kind, *_ in LAYERS]
    return tuple(ProfiledModule(name=name, type=kind, stage=stage) for name, kind, stage in names)


def probe(axis="layout", value="nhwc", ratio=0.7, layers=("layer1.0.conv1",), phase="forward"):
    """Layers that take `ratio` of their time in another setting, three times, nearly the same."""
    return LayerProbe(layers=layers, phase=phase, axis=axis, value=value, ratios=(ratio * 0.98, ratio, ratio * 1.02))


def profile(*, task="inference", scale=1.0, probes=(), **fields):
    """A profiled case; its steps without the profiler take 4 % less."""
    trains = task == "training"
    case = fields.pop("case", None) or _case(model="resnet18", task=task, batch_size=1)
    rows = operators(trains=trains, scale=scale)
    total = sum(row.self_s for row in rows)
    usual = {
        "label": case.key,
        "case": case,
        "step_s": (0.96 * total, 0.95 * total, 0.97 * total),
        "profiled_s": total,
        "operators": rows,
        "modules": modules(),
        "works": works(trains=trains, batch_size=case.batch_size),
        "probes": tuple(probes),
        "trace": "resnet18.json.gz",
        "trace_bytes": 12_345,
        "started": STARTED,
        "duration_s": 2.0,
        "nulls": {"launch_bound": "the CPU has no queue"},
    }
    return Profile(**{**usual, **fields})


def around(value):
    """Three repetitions."""
    return (0.97 * value, value, 1.02 * value)


def peaks(**fields):
    """A CPU of 100 GFLOP/s in fp32 and 200 in bf16, with 100 GB/s in its caches and 20 GB/s from memory."""
    compute = tuple(
        ComputePeak(operator=what, precision=precision, size="1024x1024", flops_per_s=around(rate))
        for precision, rate in (("fp32", 100e9), ("amp-bf16", 200e9))
        for what in ("matmul", "convolution")
    )
    bandwidths = tuple(
        Bandwidth(operation=what, working_set_bytes=size, bytes_per_s=around(rate))
        for size, rate in ((2**15, 100e9), (2**20, 60e9), (2**28, 20e9))
        for what in ("copy", "triad")
    )
    usual = {
        "device": "cpu",
        "device_name": "Made-up CPU",
        "threads": 2,
        "compute": compute,
        "bandwidths": bandwidths,
        "dispatch_s": around(1e-6),
        "started": STARTED,
        "duration_s": 10.0,
        "nulls": {"sheet": "no figure with a source is known for this device"},
    }
    return Peaks(**{**usual, **fields})


def parts(**fields):
    """What memory holds at the peak of a training step."""
    usual = {"parameters": 40, "buffers": 1, "gradients": 40, "optimizer": 40, "images": 2, "saved": 60}
    return MemoryParts(
        **{**{name: 10**6 * n for name, n in {**usual, "temporary": 10, "workspace": 5}.items()}, **fields}
    )


def points(peak):
    """A step that rises to `peak` bytes in its backward pass."""
    shares = (("forward", "conv1", 0.5), ("forward", "layer1.0.conv1", 0.8), ("backward", "layer2.0.conv1", 1.0))
    steps = (*shares, ("backward", "conv1", 0.6), ("optimizer", None, 0.7))
    last = len(steps) - 1
    return tuple(
        MemoryPoint(at=index / last, bytes=int(share * peak), phase=phase, module=module)
        for index, (phase, module, share) in enumerate(steps)
    )


def memory(**fields):
    """A training step whose measured peak is 2 % above its predicted one."""
    predicted = fields.pop("predicted", parts())
    usual = {
        "case": _case(model="resnet18", task="training", batch_size=1),
        "predicted": predicted,
        "peak_phase": "backward",
        "peak_module": "layer2.0.conv1",
        "points": points(predicted.total),
        "measured_bytes": int(1.02 * predicted.total),
        "measured_points": points(int(1.02 * predicted.total)),
        "started": STARTED,
        "duration_s": 1.0,
    }
    return Memory(**{**usual, **fields})
