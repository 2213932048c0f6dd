"""Made-up traces of torch.profiler: events as the chrome JSON holds them, in microseconds."""

import json

STARTED_US = 1_700_000_000_000_000
"""14 November 2023, 22:13:20 UTC."""


def event(category, name, start, duration, *, thread=1, process=100, **args):
    """A complete event that begins `start` microseconds after the trace."""
    times = {"ts": STARTED_US + start, "dur": duration}
    return {"ph": "X", "cat": category, "name": name, "pid": process, "tid": thread, **times, "args": args}


def step(start, duration, number=1, **where):
    return event("user_annotation", f"ProfilerStep#{number}", start, duration, **where)


def operator(name, start, duration, shapes=None, **where):
    dims = {} if shapes is None else {"Input Dims": shapes}
    return event("cpu_op", name, start, duration, **dims, **where)


def launched(name, launch, start, duration, correlation, *, stream=7, category="kernel", device=0):
    """A kernel and the call that launched it, which takes 2 µs."""
    launch_event = event("cuda_runtime", "cudaLaunchKernel", launch, 2, correlation=correlation)
    where = {"thread": stream, "process": device, "device": device, "stream": stream}
    return [launch_event, event(category, name, start, duration, correlation=correlation, **where)]


def gpu_step():
    """A step of 100 µs: a convolution by a matrix product, its gradient, a copy and a reduction beside them.

    The device works from 10 to 40, from 50 to 90, and is idle for 10 + 10 + 10 µs.
    """
    node = "autograd::engine::evaluate_function: ConvolutionBackward0"
    return [
        step(0, 100),
        operator("aten::cudnn_convolution", 2, 8, [[1, 3, 8, 8], [4, 3, 3, 3], []]),
        *launched("ampere_sgemm_32x32_tn", 5, 10, 30, 1),
        operator(node, 40, 12, thread=2),
        event("cuda_runtime", "cudaLaunchKernel", 46, 2, thread=2, correlation=2),
        event("kernel", "dgrad_engine", 50, 20, thread=7, process=0, device=0, correlation=2),
        *launched("ncclDevKernel_AllReduce_Sum_f32_RING_LL", 52, 60, 25, 3, stream=9),
        *launched("Memcpy HtoD (Pinned -> Device)", 70, 80, 10, 4, category="gpu_memcpy"),
    ]


def cpu_step():
    """A step of 100 µs on the host: 60 µs in operators, of which a copy is inside a convolution, and a Python gap."""
    return [
        step(0, 100),
        operator("aten::conv2d", 10, 40, [[1, 3, 8, 8], [4, 3, 3, 3]]),
        operator("aten::copy_", 15, 10, [[1, 3, 8, 8]]),
        operator("aten::relu_", 70, 20, [[1, 4, 6, 6]]),
    ]


def trace_bytes(events, **more):
    """The file of a trace."""
    return json.dumps({"schemaVersion": 1, "traceEvents": events, **more}).encode()
