"""Python code that builds a configuration in a user's own program: plain torch, no resnet-bench at run time.

Tests run what is made here. The network comes from `resnet` or torchvision; a user puts their own in its stead.
"""

from collections.abc import Callable
from typing import Final

from results.image_size import sides
from results.schema.case import Case
from results.schema.labels import LAYOUTS, PROMISES, RUNTIMES, TASKS
from results.schema.types import known

_TORCHVISION: Final = "torchvision:"


def snippet(case: Case) -> str:
    """Return a program that builds the case and runs a step of it, ending in a newline."""
    if TASKS[case.task].trains:
        return "\n".join([*_network(case), *_training(case)]) + "\n"
    engine = RUNTIMES[case.runtime].engine
    lines = [*_network(case), "network.eval()", "", *_ENGINES[engine](case)]
    return "\n".join(lines) + "\n"


def _network(case: Case) -> list[str]:
    """Return the lines that make network and images."""
    peer = case.model.startswith(_TORCHVISION)
    make = (
        f'torchvision.models.get_model("{case.model.removeprefix(_TORCHVISION)}")'
        if peer
        else f'create("{case.model}")'
    )
    shape = ", ".join(map(str, (case.batch_size, case.in_channels, *sides(case.image_size))))
    weights = PROMISES[case.precision].weights
    moved = [f"torch.{LAYOUTS[case.layout]}"] if LAYOUTS[case.layout] != "contiguous_format" else []
    to = ", ".join(
        [
            *([f'"{case.device}"'] if _kind(case) != "cpu" else []),
            *([f"torch.{weights}"] if weights != "float32" else []),
            *(f"memory_format={name}" for name in moved),
        ]
    )
    cast = f".to({to})" if to else ""
    lines = ["import torch"]
    lines += ["import torchvision"] if peer else []
    engine = RUNTIMES[case.runtime].engine
    lines += [*_IMPORTS.get(engine, []), *(_INT8_IMPORTS[engine] if PROMISES[case.precision].quantizes else [])]
    lines += [] if peer else ["from resnet import create"]
    lines += ["", f"torch.set_num_threads({known(case.threads)})"] if case.threads else [""]
    if PROMISES[case.precision].tf32:
        lines.append('torch.set_float32_matmul_precision("high")')
        lines.append("torch.backends.cudnn.allow_tf32 = True")
    if RUNTIMES[case.runtime].autotune:
        lines.append("torch.backends.cudnn.benchmark = True")
    return [
        *lines,
        f"network = {make}{cast}  # your own network, with its weights",
        f"images = torch.randn({shape}){cast}",
    ]


def _kind(case: Case) -> str:
    """Return torch's type of the device."""
    return case.device.partition(":")[0]


def _context(case: Case) -> str:
    """Return the contexts around a forward pass."""
    name = PROMISES[case.precision].autocast
    kind = _kind(case)
    cast = "" if name is None else f', torch.autocast("{kind}", torch.{name})'
    return f"with torch.inference_mode(){cast}:"


def _torch(case: Case) -> list[str]:
    facts = RUNTIMES[case.runtime]
    if PROMISES[case.precision].quantizes:
        return [
            "quantizer = X86InductorQuantizer()",
            "quantizer.set_global(get_default_x86_inductor_quantization_config())",
            "graph = torch.export.export(network, (images,), strict=True).module()",
            "observed = prepare_pt2e(graph, quantizer)",
            "observed(images)  # your own images, which give the scales",
            "torch._inductor.config.freezing = True",
            "network = torch.compile(convert_pt2e(observed), dynamic=False)",
            _context(case),
            "    logits = network(images)",
        ]
    made: list[str] = []
    if facts.compiles:
        extra = f', mode="{facts.mode}"' if facts.mode else ""
        made = ["torch._inductor.config.freezing = True"] if facts.freezes else []
        made.append(f"network = torch.compile(network, dynamic=False{extra})  # the first call compiles")
    return [*made, _context(case), "    logits = network(images)"]


def _exported(case: Case) -> list[str]:
    cast = _context(case).replace("torch.inference_mode()", "torch.no_grad()")
    return [
        cast,
        "    network = torch.export.export(network, (images,)).module()",
        _context(case),
        "    logits = network(images)",
    ]


def _aot(case: Case) -> list[str]:
    cast = _context(case).replace("torch.inference_mode()", "torch.no_grad()")
    return [
        cast,
        "    program = torch.export.export(network, (images,))",
        '    package = aoti_compile_and_package(program, package_path=path, inductor_configs={"freezing": True})',
        "network = aoti_load_package(package)  # later programs begin here; load only packages of your own making",
        _context(case),
        "    logits = network(images)",
    ]


def _onnx(case: Case) -> list[str]:
    provider = RUNTIMES[case.runtime].mode or f"{'CPU' if _kind(case) == 'cpu' else 'CUDA'}ExecutionProvider"
    return [
        'torch.onnx.export(network, (images,), path, input_names=["images"], external_data=False, dynamo=True)',
        *(_ONNX_INT8 if PROMISES[case.precision].quantizes else []),
        "options = onnxruntime.SessionOptions()",
        f"options.intra_op_num_threads = {known(case.threads)}",
        f'session = onnxruntime.InferenceSession(path, options, providers=["{provider}"])',
        '(logits,) = session.run(None, {"images": images.cpu().numpy()})',
    ]


def _openvino(case: Case) -> list[str]:
    hint = {"bfloat16": "bf16", "float16": "f16"}.get(PROMISES[case.precision].compute, "f32")
    settings = f'"INFERENCE_PRECISION_HINT": "{hint}", "INFERENCE_NUM_THREADS": {known(case.threads)}, "NUM_STREAMS": 1'
    return [
        "model = openvino.convert_model(torch.export.export(network, (images,)))",
        "model.reshape(list(images.shape))",
        *(_OPENVINO_INT8 if PROMISES[case.precision].quantizes else []),
        f'network = openvino.Core().compile_model(model, "CPU", {{{settings}, "PERFORMANCE_HINT": "LATENCY"}})',
        "logits = network(images.numpy())[0]",
    ]


def _training(case: Case) -> list[str]:
    """Return the lines of a training step."""
    promise = PROMISES[case.precision]
    kind = _kind(case)
    made = ["network.train()"]
    if RUNTIMES[case.runtime].compiles:
        mode = RUNTIMES[case.runtime].mode
        extra = f', mode="{mode}"' if mode else ""
        made.append(f"network = torch.compile(network, dynamic=False{extra})")
    cast = "" if promise.autocast is None else f'with torch.autocast("{kind}", torch.{promise.autocast}):'
    indent = "    " if cast else ""
    return [
        f"labels = torch.zeros({case.batch_size}, dtype=torch.long, device=images.device)  # your own classes",
        *made,
        "optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)",
        *([f'scaler = torch.amp.GradScaler("{kind}")'] if promise.grad_scaler else []),
        "",
        *([cast] if cast else []),
        f"{indent}loss = torch.nn.functional.cross_entropy(network(images), labels)",
        "scaler.scale(loss).backward()" if promise.grad_scaler else "loss.backward()",
        "scaler.step(optimizer)" if promise.grad_scaler else "optimizer.step()",
        *(["scaler.update()"] if promise.grad_scaler else []),
        "optimizer.zero_grad()",
    ]


_IMPORTS: Final[dict[str, list[str]]] = {
    "inductor": ["import torch._inductor.config"],
    "aot": ["from torch._inductor import aoti_compile_and_package, aoti_load_package"],
    "ort": ["import onnxruntime"],
    "ov": ["import openvino"],
}
_INT8_IMPORTS: Final[dict[str, list[str]]] = {
    "inductor": [
        "from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e",
        "from torchao.quantization.pt2e.quantizer.x86_inductor_quantizer import (",
        "    X86InductorQuantizer,",
        "    get_default_x86_inductor_quantization_config,",
        ")",
    ],
    "ort": ["from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static"],
    "ov": ["import nncf"],
}
_ONNX_INT8: Final = [
    "",
    "class Reader(CalibrationDataReader):",
    "    batches = iter([{'images': images.numpy()}])  # your own images, which give the scales",
    "",
    "    def get_next(self):",
    "        return next(self.batches, None)",
    "",
    "plain, path = path, path + '.int8.onnx'",
    "quantize_static(plain, path, Reader(), quant_format=QuantFormat.QDQ, per_channel=True)",
]
_OPENVINO_INT8: Final = [
    "model = nncf.quantize(model, nncf.Dataset([images.numpy()]))  # your own images, which give the scales",
]
_ENGINES: Final[dict[str, Callable[[Case], list[str]]]] = {
    "eager": _torch,
    "inductor": _torch,
    "exported": _exported,
    "aot": _aot,
    "ort": _onnx,
    "ov": _openvino,
}
"""The lines that prepare and run a network, for every engine of `results.schema.labels.RUNTIMES`."""
