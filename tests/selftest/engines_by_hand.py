"""Loops around ONNX Runtime and OpenVINO as their documentation writes them, as workers; they share no code with ours.

The network is the same, with other weights: the time does not depend on them.
"""

import pathlib
import socket
import tempfile
import warnings
from typing import Final

from bench.process.protocol import serve_requests
from tests.bench.fakes import FakeWorker
from tests.selftest.byhand import ByHand

LOOPS: Final = {
    "onnxruntime": "tests.selftest.engines_by_hand:onnx_by_hand",
    "openvino": "tests.selftest.engines_by_hand:openvino_by_hand",
}
"""The worker of each engine."""


class EngineByHand(ByHand):
    """The same loop around a session; a subclass opens it."""

    def prepare(self, request):
        import torch  # noqa: PLC0415

        from resnet import create  # noqa: PLC0415

        case = request.case
        model = create(case.model).eval()
        images = torch.randn(case.batch_size, 3, case.image_size, case.image_size)
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            infer = self.opened(model, images, case, pathlib.Path(folder))
        self.images, self.model = images, lambda _: infer()
        return FakeWorker.prepare(self, request)


class OnnxByHand(EngineByHand):
    """`InferenceSession.run` with a dict of arrays."""

    def opened(self, model, images, case, folder):
        import onnxruntime  # noqa: PLC0415
        import torch  # noqa: PLC0415

        path = str(folder / "model.onnx")
        torch.onnx.export(model, (images,), path, dynamo=True, external_data=False, verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = case.threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        feed = {session.get_inputs()[0].name: images.numpy()}
        return lambda: session.run(None, feed)


class OpenVinoByHand(EngineByHand):
    """`benchmark_app` in Python: a request of a network that is compiled for latency, its input set once."""

    def opened(self, model, images, case, folder):
        import openvino  # noqa: PLC0415

        converted = openvino.convert_model(model, example_input=images, input=[list(images.shape)])
        hint = "bf16" if case.precision == "amp-bf16" else "f32"
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": hint, "NUM_STREAMS": 1}
        settings["INFERENCE_NUM_THREADS"] = case.threads
        request = openvino.Core().compile_model(converted, "CPU", settings).create_infer_request()
        request.set_input_tensor(openvino.Tensor(images.numpy().copy()))
        return request.infer


def onnx_by_hand(connection: socket.socket) -> None:
    """Be the loop around ONNX Runtime on `connection`."""
    serve_requests(connection, OnnxByHand())


def openvino_by_hand(connection: socket.socket) -> None:
    """Be the loop around OpenVINO on `connection`."""
    serve_requests(connection, OpenVinoByHand())
