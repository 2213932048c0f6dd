"""Observe what really ran: the operators of a step of the case, by torch's own execution trace.

The timed step, compiled graph and autocast included, runs once more after the timing. Hooks on modules would see
nothing of a compiled graph, and would cause a recompilation.

Inductor's Triton kernels enter the trace only while torch's flag of a running profiler is set. Their nodes have no
outputs: a kernel writes into one of its arguments.
"""

import json
import pathlib
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Final

import torch
from msgspec import structs
from torch.autograd import profiler
from torch.profiler import ExecutionTraceObserver

from bench.machine.device_names import device_type, is_cpu
from bench.tasks.workload import Workload
from bench.validate.probes import float32_formats, threads_of, working_threads
from results.image_size import image_size
from results.schema.case import Case
from results.schema.labels import PROMISES, RUNTIMES
from results.schema.lines.record import UNSEEN, Ran

# Triton's fused element-wise kernels carry the names of the convolutions around them; its templates compute them.
_CONVOLUTION: Final = re.compile(r"^(?!triton_(?!tem)).*conv(?!.*backward)", re.IGNORECASE)
_LINEAR: Final = re.compile(r"::(linear|_linear_pointwise|addmm|mm)(_?$|\.)|^triton_tem.*mm")
_TENSOR: Final = re.compile(r"^Tensor\((?:c10::)?(\w+)")
_DTYPES: Final = {
    "float": "float32",
    "double": "float64",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "unsigned": "int8",  # unsigned char
    "signed": "int8",
}
"""torch's names of dtypes, by their C++ names in traces."""

Node = dict[str, Any]


def observe(case: Case, workload: Workload) -> tuple[Ran | None, str | None]:
    """Return what ran, up to the loss or the logits of a step, and the reason of a missing observation.

    The runtime itself answers if it can; otherwise a further step runs under torch's trace, which in training updates
    the weights once more. Values that the trace lacks (a replayed CUDA graph calls no operator) are left empty: no
    dtypes, layout `UNSEEN`, no sizes. `bench.validate.probes` adds what torch itself does not know.

    Source: `torch.profiler.ExecutionTraceObserver`, in the format of MLCommons' Chakra.
    """
    own = workload.prepared.ran()
    if own is not None:
        return (None, own) if isinstance(own, str) else (_with_threads(case, own, workload), None)
    kind = device_type(case.device)
    autocast: set[str] = set()

    def look() -> None:
        if torch.is_autocast_enabled(kind):
            autocast.add(str(torch.get_autocast_dtype(kind)).removeprefix("torch."))

    weights = [list(weight.shape) for weight in workload.module.parameters()]
    nodes = [with_results(node, weights) for node in trace(workload, look)]
    convolutions, linears = products(nodes)
    computed = {dtype for node in (*convolutions, *linears) for dtype in _dtypes(node)}
    formats: tuple[str, str] | None = None
    if PROMISES[case.precision].compute == "float32":
        formats = float32_formats(case.device)
    if formats is not None and "float32" in computed and kind != "cuda":  # a CUDA device has fields for TF32
        computed = computed - {"float32"} | set(formats)
    tf32_matmul, tf32_convolution = tf32(kind, formats)
    first = next((shape for node in convolutions if _of_images(shape := _shape(node), case)), None)
    ran = Ran(
        parameter_dtypes=tuple(
            sorted({str(weight.dtype).removeprefix("torch.") for weight in workload.module.parameters()})
        ),
        compute_dtypes=tuple(sorted(computed)),
        layout=layout(convolutions),
        tf32_matmul=tf32_matmul,
        tf32_convolution=tf32_convolution,
        autocast="+".join(sorted(autocast)) or None,
        grad_scaler=workload.scaler.is_enabled(),
        threads=working_threads(),
        batch_size=None if first is None else first[0],
        image_size=None if first is None else image_size(*first[2:]),
        in_channels=None if first is None else first[1],
        cudnn_benchmark=torch.backends.cudnn.benchmark,
        deterministic=torch.backends.cudnn.deterministic or torch.are_deterministic_algorithms_enabled(),
    )
    unseen = "its operators could not be seen: the step called no convolution by name (a replayed graph calls none)"
    return ran, None if convolutions else unseen


def _with_threads(case: Case, ran: Ran, workload: Workload) -> Ran:
    """Return what an engine says of itself with the threads that really work."""
    threads = threads_of(workload.prepared.forward) if is_cpu(case.device) else None
    return structs.replace(ran, threads=threads or ran.threads)


def tf32(kind: str, formats: tuple[str, str] | None) -> tuple[bool, bool]:
    """Return whether matrix products and convolutions of float32 ran in TF32.

    torch's switches permit it, and small operators show it. A library need not use it for every shape, but where none
    of them shows it on a GPU the libraries do without it, whatever is permitted.

    Args:
        kind: torch's type of the device.
        formats: those of a matrix product and of a convolution (`float32_formats`), None where nothing tried them.
    """
    permitted = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    if formats is None:
        return permitted
    shown = formats[0] == "tf32", formats[1] == "tf32"
    if kind == "cuda" and not any(shown):
        return shown
    return permitted[0] or shown[0], permitted[1] or shown[1]


def trace(workload: Workload, look: Callable[[], None]) -> list[Node]:
    """Return the operators of a step up to its first mark, and call `look` at each call of a Python function."""
    observer = ExecutionTraceObserver()
    watching = False

    def called(_frame: object, event: str, _argument: object) -> None:
        if event == "call":
            look()

    def stop() -> None:
        nonlocal watching
        if watching:
            watching = False
            sys.setprofile(previous)
            profiler._set_is_profiler_enabled(False)  # noqa: SLF001
            observer.stop()

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "trace.json")
        previous = sys.getprofile()
        observer.register_callback(str(path))
        try:
            with workload.context():
                observer.start()
                profiler._set_is_profiler_enabled(True)  # noqa: SLF001 - nothing public sets it without a profiler
                watching = True
                sys.setprofile(called)
                try:
                    workload.step(stop)
                finally:
                    stop()
        finally:
            observer.unregister_callback()  # which ends the file
        nodes: list[Node] = json.loads(path.read_bytes())["nodes"]
    return nodes


def with_results(node: Node, weights: list[list[int]]) -> Node:
    """Return a node with outputs: those of a kernel of Triton are its tensors that are no weights.

    These are the input, the output and what else is fused with it: all in the same dtype and layout, or it cannot be
    seen which of them is which, and they are left out. Tensors of a single dimension belong to fused normalisations.

    Args:
        node: a node of a trace.
        weights: the shapes of the network's parameters.
    """
    if not node["name"].startswith("triton_") or any(map(_TENSOR.match, node["outputs"]["types"])):
        return node
    given = node["inputs"]
    tensors = [
        (kind, shape, strides)
        for kind, shape, strides in zip(given["types"], given["shapes"], given["strides"], strict=True)
        if _TENSOR.match(kind) and len(shape) > 1 and shape not in weights
    ]
    if len({kind for kind, _, _ in tensors}) > 1:
        tensors = []
    values = {name: [tensor[index] for tensor in tensors] for index, name in enumerate(("types", "shapes", "strides"))}
    return node | {"inputs": values, "outputs": values}


def products(nodes: list[Node]) -> tuple[list[Node], list[Node]]:
    """Return the convolutions and the linear layers of a trace in the order of their calls.

    A convolution is a chain of nested operators. Autocast casts between the outer and the inner operators, so the
    innermost operator shows the dtype of the arithmetic. A matrix product inside a convolution is part of it.
    """
    by_id = {node["id"]: node for node in nodes}
    outer: set[int] = set()
    inside: set[int] = set()
    calls: tuple[list[Node], list[Node]] = ([], [])
    for node in nodes:
        of = 0 if _CONVOLUTION.search(node["name"]) else 1 if _LINEAR.search(node["name"]) else None
        if of is None:
            continue
        calls[of].append(node)
        for above in _ancestors(node, by_id):
            if _CONVOLUTION.search(above["name"]):
                inside.add(node["id"])
                if of == 0:
                    outer.add(above["id"])
            elif of == 1 and _LINEAR.search(above["name"]):
                outer.add(above["id"])
    convolutions = [node for node in calls[0] if node["id"] not in outer]
    linears = [node for node in calls[1] if node["id"] not in outer | inside]
    return sorted(convolutions, key=_order), sorted(linears, key=_order)


def layout(convolutions: list[Node]) -> str:
    """Return the memory format of the outputs of convolutions: ``nchw``, ``nhwc``, ``mixed`` or `UNSEEN`.

    An output of a single channel or pixel has both formats.
    """
    seen = set()
    for node in convolutions:
        for shape, strides in zip(node["outputs"]["shapes"], node["outputs"]["strides"], strict=True):
            if len(shape) == 4 and len(strides) == 4 and shape[1] > 1 and shape[2] * shape[3] > 1:
                seen.add("nhwc" if strides[1] == 1 else "nchw")
    return "mixed" if len(seen) > 1 else next(iter(seen), UNSEEN)


def _ancestors(node: Node, by_id: dict[int, Node]) -> Iterator[Node]:
    above = by_id.get(node["ctrl_deps"])
    while above is not None and above["ctrl_deps"] != above["id"]:  # the root is its own
        yield above
        above = by_id.get(above["ctrl_deps"])


def _order(node: Node) -> int:
    return int(node["id"])


def _shape(node: Node) -> list[int]:
    """Return the shape of the first input tensor: the images, or what earlier layers made of them."""
    pairs = zip(node["inputs"]["types"], node["inputs"]["shapes"], strict=True)
    return next((shape for kind, shape in pairs if _TENSOR.match(kind)), [])


def _of_images(shape: list[int], case: Case) -> bool:
    """Return whether a convolution of that input is of the images.

    In a compiled graph the first that the trace shows need not be the network's first: others may be fused, or products
    of matrices.
    """
    return len(shape) == 4 and (shape[1] == case.in_channels or not RUNTIMES[case.runtime].compiles)


def _dtypes(node: Node) -> Iterator[str]:
    for kind in node["outputs"]["types"]:
        if match := _TENSOR.match(kind):
            yield _DTYPES.get(match[1], match[1])
