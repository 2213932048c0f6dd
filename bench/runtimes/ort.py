"""ONNX Runtime: its own kernels on the CPU, its CUDA provider, and TensorRT as one of its providers.

Idle threads of ONNX Runtime spin, and slow down what runs next in the rotation (onnxruntime issue 13808): that is off.
"""

import importlib
import json
import pathlib
from collections.abc import Callable
from typing import Any, Final

import onnxruntime
import torch

from bench.machine.device_names import device_type, is_cpu
from bench.measure.device import Device
from bench.runtimes import FrozenModule, Preparation, Prepared, Runtime
from results.image_size import image_size
from results.schema.case import Case
from results.schema.labels import PROMISES, RUNTIMES
from results.schema.lines.record import Ran
from results.schema.types import known

_INPUT: Final = "images"
_DTYPES: Final = {"float": "float32", "double": "float64", "uint8": "int8", "int8": "int8"}
"""torch's names of dtypes, by ONNX Runtime's."""
_PRODUCTS: Final = ("Conv", "Gemm", "MatMul")
"""Parts of its names of kernels that multiply matrices."""


class OnnxSession:
    """A network in ONNX Runtime, whose input is the memory of `images`."""

    def __init__(self, path: pathlib.Path, case: Case, images: torch.Tensor, folder: pathlib.Path) -> None:
        """Open the network of a file of ONNX."""
        self._path, self._case, self._folder, self._images = path, case, folder, images
        self._session = _open(path, case, folder)
        if is_cpu(case.device):
            inputs = {_INPUT: images.numpy()}  # torch's own memory, which the session reads in each step
            self._run: Callable[[], list[Any]] = lambda: self._session.run(None, inputs)
        else:
            self._bound = self._binding()
            self._run = self._run_bound

    def __call__(self) -> Any:
        """Run the network and return its output, or a tuple of its outputs."""
        outputs = self._run()
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def ran(self) -> Ran | str:
        """Return what a further session with a profiler shows of its kernels."""
        session = _open(self._path, self._case, self._folder, profile=True)
        session.run(None, {_INPUT: self._images.cpu().numpy()})
        log = pathlib.Path(session.end_profiling())
        events = json.loads(log.read_text(encoding="utf-8"))
        log.unlink()
        options = session.get_provider_options().get("CUDAExecutionProvider", {})
        return _ran(self._case, events, self._images, tf32=options.get("use_tf32") == "1")

    def _binding(self) -> Any:
        """Bind the session to torch's memory on the device, so that nothing is copied to the host and back."""
        bound = self._session.io_binding()
        kind, index = device_type(self._case.device), torch.device(self._case.device).index or 0
        bound.bind_input(_INPUT, kind, index, "float32", tuple(self._images.shape), self._images.data_ptr())
        self._results = []
        for output in self._session.get_outputs():
            result = torch.empty(output.shape, device=self._case.device)
            bound.bind_output(output.name, kind, index, "float32", tuple(result.shape), result.data_ptr())
            self._results.append(result)
        return bound

    def _run_bound(self) -> list[torch.Tensor]:
        self._session.run_with_iobinding(self._bound)
        return self._results


class OnnxRuntime:
    """Runs a provider of ONNX Runtime."""

    def unsupported(self, case: Case) -> str | None:
        """Return why no provider runs the case, None if there is one."""
        if is_cpu(case.device):
            return None
        name = _provider(case)
        present = onnxruntime.get_available_providers()
        if name in present:
            return None
        return (
            f"this onnxruntime has no {name} (only {', '.join(present)}): install the package onnxruntime-gpu instead"
        )

    def prepare(
        self,
        case: Case,
        module: torch.nn.Module,
        images: torch.Tensor,
        *,
        device: Device,
        cache: pathlib.Path | None,
    ) -> Prepared:
        """Return the network, once the first step exports it to ONNX, or reads it from `cache`, and opens a session."""

        def build(preparation: Preparation) -> Callable[[], Any]:
            path = plain = preparation.folder / "network.onnx"
            if PROMISES[case.precision].quantizes:
                path = preparation.folder / "quantized.onnx"
            if not plain.exists():
                with preparation.part("export_s"), torch.autocast(device_type(case.device), enabled=False):
                    torch.onnx.export(
                        module, (images,), plain, input_names=[_INPUT], dynamo=True, external_data=False, verbose=False
                    )
            if not path.exists():
                with preparation.part("convert_s"):
                    importlib.import_module("bench.quantization.onnx_file").quantize_onnx(plain, path, _INPUT, images)
            preparation.artefact_bytes = path.stat().st_size
            with preparation.part("build_s"):
                return OnnxSession(path, case, images, preparation.folder)

        return FrozenModule(module, images, device, build, cache=cache, ran=OnnxSession.ran)


def _provider(case: Case) -> str:
    """Return ONNX Runtime's name of what runs the case."""
    return RUNTIMES[case.runtime].mode or f"{'CPU' if is_cpu(case.device) else 'CUDA'}ExecutionProvider"


def _open(path: pathlib.Path, case: Case, folder: pathlib.Path, *, profile: bool = False) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = case.threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    if profile:
        options.enable_profiling = True
        options.profile_file_prefix = str(folder / "profile")
    providers: list[Any] = [_provider(case)]
    if not is_cpu(case.device):
        promise = PROMISES[case.precision]
        own = {
            "device_id": torch.device(case.device).index or 0,
            "user_compute_stream": str(torch.cuda.current_stream(case.device).cuda_stream),  # that of the marks
        }
        if RUNTIMES[case.runtime].mode is None:
            own["use_tf32"] = int(promise.tf32)
        else:
            own["trt_fp16_enable"] = promise.compute == "float16"
            own["trt_bf16_enable"] = promise.compute == "bfloat16"
            own["trt_engine_cache_enable"] = True
            own["trt_engine_cache_path"] = str(folder)
        providers = [(providers[0], own)]
    return onnxruntime.InferenceSession(str(path), options, providers=providers)


def _ran(case: Case, events: list[dict[str, Any]], images: torch.Tensor, *, tf32: bool) -> Ran | str:
    """Return what the events of a profiled run show; `tf32` is what the session was given."""
    kernels = [event["args"] for event in events if event.get("cat") == "Node" and "output_type_shape" in event["args"]]
    products = [kernel for kernel in kernels if any(part in kernel["op_name"] for part in _PRODUCTS)]
    if not products:
        return f"{case.runtime} runs the network as a single kernel, which does not show its types"
    dtypes = {next(iter(result)) for kernel in products for result in kernel["output_type_shape"]}
    batch, channels, *size = images.shape
    return Ran(
        parameter_dtypes=("float32",),
        compute_dtypes=tuple(sorted(_DTYPES.get(dtype, dtype) for dtype in dtypes)),
        layout=case.layout,
        tf32_matmul=tf32,
        tf32_convolution=tf32,
        autocast=None,
        grad_scaler=False,
        threads=known(case.threads),
        batch_size=batch,
        image_size=image_size(*size),
        in_channels=channels,
    )


RUNTIME: Final[Runtime] = OnnxRuntime()
