"""Made-up workers of a search, whose steps take what their runtime takes."""

import dataclasses

import msgspec

from bench.process.messages import EqualityChecked, Turn
from bench.schedule.racing import run as module
from bench.schedule.racing.request import SearchRequest
from results.schema.lines.record import Agreement
from tests.bench.fakes import FakeServer, FakeWorker
from tests.bench.runs import Shared
from tests.conftest import _equality, _run, _static

STEPS = {"eager": 0.008, "export": 0.0075, "onnxruntime": 0.005, "openvino": 0.004}
AXES = {"runtime": tuple(STEPS), "precision": ("fp32",), "layout": ("nchw",)}
REQUEST = SearchRequest(models=("resnet18",), axes=AXES, threads=(1,), time_limit_s=30.0)


class Worker(FakeWorker):
    """Takes the time of its runtime, and half of it for each image beyond the first."""

    def __init__(self):
        super().__init__(
            {"environment": msgspec.to_builtins(_run().environment), "static": msgspec.to_builtins(_static())}
        )

    def turn(self, request):
        step_s = STEPS[self.case.runtime] * (1 + (self.case.batch_size - 1) / 2)
        times = tuple((step_s * self.random.uniform(0.995, 1.005),) for _ in range(request.steps))
        return Turn(phase_s=times, wall_s=1.01 * step_s)


class Wrong(Worker):
    """OpenVINO computes something else."""

    def check(self, request):
        wrong = self.case.runtime == "openvino"
        return EqualityChecked(equality=_equality("wrong" if wrong else "equal"))


def search_with(monkeypatch, worker=Worker, script=lambda verb, case, server: None):
    """Let searches fork made-up workers; returns their server."""
    server = FakeServer(script, worker)
    monkeypatch.setattr(module, "ForkServer", lambda: Shared(server))
    return server


class Quantizing(Worker):
    """Computes in 8 bits twice as fast, and OpenVINO then answers otherwise in a tenth of the images."""

    def turn(self, request):
        turn = super().turn(request)
        if self.case.precision != "int8":
            return turn
        return dataclasses.replace(turn, phase_s=tuple((step / 2,) for (step,) in turn.phase_s), wall_s=turn.wall_s / 2)

    def check(self, request):
        checked = super().check(request)
        if self.case.precision != "int8":
            return checked
        agreed = 900 if self.case.runtime == "openvino" else 999
        return dataclasses.replace(
            checked,
            agreement=Agreement(
                network="a network", images=1000, agreed=agreed, lost=1000 - agreed, gained=0, reference_correct=930
            ),
        )
