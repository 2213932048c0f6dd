"""OpenVINO on the CPU.

OpenVINO computes in bf16 or fp16 unasked where the CPU can (openvino issue 28032), so the precision is asked for, and
read back from the compiled graph. ``amp-bf16`` is its own mixed precision: weights and images in fp32, arithmetic in
bf16 where it thinks that it pays.
"""

import importlib
import pathlib
from collections.abc import Callable
from typing import Any, Final

import openvino
import torch

from bench.measure.device import Device, Unsupported
from bench.runtimes import FrozenModule, Preparation, Prepared, Runtime
from results.image_size import image_size
from results.schema.case import Case
from results.schema.labels import PROMISES
from results.schema.lines.record import Ran

_HINTS: Final = {"float32": "f32", "bfloat16": "bf16", "float16": "f16", "int8": "f32"}
"""OpenVINO's precisions by torch's names; a quantized network says itself what is in 8 bits."""
_DTYPES: Final = {"f32": "float32", "bf16": "bfloat16", "f16": "float16", "i8": "int8", "u8": "int8"}
_PRODUCTS: Final = frozenset({"Convolution", "GroupConvolution", "FullyConnected", "MatMul"})
"""OpenVINO's names of layers that multiply matrices, in its compiled graph."""


class OpenVinoSession:
    """A compiled network with its request, whose input is the memory of `images`."""

    def __init__(self, compiled: Any, images: torch.Tensor) -> None:
        """Open a request of `compiled`."""
        self.compiled = compiled
        self._request = compiled.create_infer_request()
        self._images = images.numpy()  # the request reads torch's own memory
        self._request.set_input_tensor(openvino.Tensor(self._images, shared_memory=True))
        self._outputs = [self._request.get_output_tensor(index).data for index in range(len(compiled.outputs))]

    def __call__(self) -> Any:
        """Run the network and return its outputs, in the request's memory."""
        self._request.infer()
        return self._outputs[0] if len(self._outputs) == 1 else tuple(self._outputs)


class OpenVino:
    """Runs OpenVINO's CPU plugin."""

    def unsupported(self, case: Case) -> str | None:  # noqa: ARG002 - its declaration says it all
        """Return None: what the CPU lacks shows when the network is compiled."""
        return None

    def prepare(
        self,
        case: Case,
        module: torch.nn.Module,
        images: torch.Tensor,
        *,
        device: Device,
        cache: pathlib.Path | None,
    ) -> Prepared:
        """Return the network, once the first step converts and compiles it, or reads it from `cache`.

        Raises:
            Unsupported: in the first step, where the CPU cannot compute in the precision.
        """

        def build(preparation: Preparation) -> Callable[[], Any]:
            return _build(case, module, images, preparation)

        return FrozenModule(module, images, device, build, cache=cache, ran=lambda session: _ran(case, session))


def _build(case: Case, module: torch.nn.Module, images: torch.Tensor, preparation: Preparation) -> OpenVinoSession:
    core = openvino.Core()
    path = preparation.folder / "network.xml"
    if path.exists():
        with preparation.part("load_s"):
            model = core.read_model(path)
    else:
        with preparation.part("export_s"), torch.autocast("cpu", enabled=False):
            program = torch.export.export(module, (images,))
        with preparation.part("convert_s"), torch.autocast("cpu", enabled=False):  # which traces it once more
            model = openvino.convert_model(program)
            model.reshape(list(images.shape))  # the conversion makes every size but the channels dynamic
            if PROMISES[case.precision].quantizes:
                quantizer = importlib.import_module("bench.quantization.openvino_model")  # whose package is an extra
                model = quantizer.quantize_openvino(model, images)
            openvino.save_model(model, path, compress_to_fp16=False)
    preparation.artefact_bytes = sum(file.stat().st_size for file in (path, path.with_suffix(".bin")))
    hint = _HINTS[PROMISES[case.precision].compute]
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": hint,
        "INFERENCE_NUM_THREADS": case.threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # every other runtime leaves the choice of cores to the system
        "CACHE_DIR": str(preparation.folder),
    }
    with preparation.part("build_s"):
        compiled = core.compile_model(model, "CPU", settings)
    actual = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
    if _DTYPES.get(actual) != _DTYPES[hint]:
        raise Unsupported(f"openvino computes in {actual} on this CPU, not in {hint}")
    return OpenVinoSession(compiled, images)


def _ran(case: Case, session: OpenVinoSession) -> Ran:
    """Return what OpenVINO's compiled graph says of itself."""
    dtypes = set()
    for layer in session.compiled.get_runtime_model().get_ordered_ops():
        facts = layer.get_rt_info()
        if "layerType" in facts and facts["layerType"].astype(str) in _PRODUCTS:
            precision = facts["runtimePrecision"].astype(str)
            dtypes.add(_DTYPES.get(precision, precision))
    batch, channels, *size = session.compiled.input(0).shape
    hint = _DTYPES[session.compiled.get_property("INFERENCE_PRECISION_HINT").to_string()]
    return Ran(
        parameter_dtypes=("float32",),
        compute_dtypes=tuple(sorted(dtypes)),
        layout=case.layout,
        tf32_matmul=False,
        tf32_convolution=False,
        autocast=None if hint == "float32" else hint,
        grad_scaler=False,
        threads=int(session.compiled.get_property("INFERENCE_NUM_THREADS")),
        batch_size=batch,
        image_size=image_size(*size),
        in_channels=channels,
    )


RUNTIME: Final[Runtime] = OpenVino()
