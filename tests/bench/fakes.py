"""Workers that make their answers up, without torch: the one fake of the protocol for all tests.

A `FakeWorker` has a method for each verb; a test overrides what it needs. It answers in this process through a
`FakeChannel`, or in a real process that a `Server` forks.
"""

import json
import os
import pathlib
import random

import msgspec

from bench.process import forkserver
from bench.process.loading import BatchesTimed, DataOpened, StagesTimed
from bench.process.messages import (
    Described,
    EqualityChecked,
    Finished,
    Footprint,
    PeakMeasured,
    Ready,
    StaticCounted,
    Turn,
)
from bench.process.profiling.messages import (
    DevicePeaksMeasured,
    LayersProbed,
    MemoryMeasured,
    MemoryPredicted,
    Profiled,
)
from bench.process.protocol import VERBS, Failure, reply_to
from results.schema.labels import RUNTIMES, TASKS
from results.schema.lines.record import Equality, Facts, Ran
from results.schema.lines.run import Environment
from results.schema.lines.static import Static
from results.schema.validation import validated

FOLDER = "RESNET_BENCH_FAKES"
"""Variable that names the folder of a test: its workers read there what they answer, and it is how all descendants of a
run are recognised, whoever adopted them."""


class FakeWorker:
    """Answers every verb at once, with times that are made up."""

    token = None
    case = None
    step_s = 0.01
    host_bytes = 1 << 20

    def __init__(self, given=None):
        """`given` holds what it answers about the machine (``environment``) and about a model (``static``)."""
        self.given = given or {}
        self.random = random.Random(os.getpid())

    def __init_subclass__(cls):
        check_verbs(cls)

    def describe(self, request):
        environment = validated(self.given["environment"], Environment)
        identities = (None,) * len(request.devices)
        return Described(devices=request.devices, environment=environment, identities=identities)

    def static(self, request):
        asked = {"model": request.model, "image_size": request.image_size, "in_channels": request.in_channels}
        static = self.given["static"] | asked
        return StaticCounted(static=validated(static, Static))

    def peak(self, request):
        return PeakMeasured(flops_per_s=1e12)

    def prepare(self, request):
        self.case, self.token = request.case, request.token
        return Ready(first_step_s=0.5, phases=TASKS[request.case.task].phases, notes=())

    def turn(self, request):
        parts = max(1, len(TASKS[self.case.task].phases))
        times = [self.step_s * self.random.uniform(0.99, 1.01) for _ in range(request.steps)]
        return Turn(phase_s=tuple((seconds / parts,) * parts for seconds in times), wall_s=1.02 * self.step_s)

    def footprint(self, request):
        return Footprint(host_bytes=self.host_bytes, device_bytes=None, device_free_bytes=None)

    def finish(self, request):
        ran = Ran(
            parameter_dtypes=("float32",),
            compute_dtypes=("float32",),
            layout=self.case.layout,
            tf32_matmul=False,
            tf32_convolution=False,
            autocast=None,
            grad_scaler=False,
            threads=1,
        )
        nulls = {} if RUNTIMES[self.case.runtime].compiles else {"compile_s": "nothing is compiled"}
        return Finished(facts=Facts(peak_resident_bytes=1 << 20), nulls=nulls, notes=(), ran=ran)

    def check(self, request):
        equality = Equality(verdict="equal", error=1e-6, baseline_error=1e-6, allowed=1e-5, what="output")
        return EqualityChecked(equality=equality)

    def plan_trainings(self, request):
        raise NotImplementedError

    begin_training = train_on = save_training = save_network = plan_trainings

    def open_data(self, request):
        return DataOpened(
            images=1000,
            sample=512,
            image_size=request.image_size or 224,
            in_channels=3,
            image_bytes=96_000,
            decoder="Pillow 12.0",
            paths=("DataLoader",),
            nulls={"transfer": "the CPU is the device"},
        )

    def time_stages(self, request):
        return StagesTimed(image_s={"read": 1e-4, "decode": 3e-3, "transform": 1e-3, "collate": 1e-4, "augment": 1e-4})

    def time_batches(self, request):
        return BatchesTimed(first_batch_s=0.1, image_s=5e-3 / max(1, request.workers))

    def profile(self, request):
        made = _profiles().profile(case=self.case, task=self.case.task)
        names = ("step_s", "profiled_s", "operators", "modules", "works", "queued", "launch_bound", "notes", "nulls")
        trace_bytes = None if request.trace is None else pathlib.Path(request.trace).write_bytes(b"a trace")
        return Profiled(trace_bytes=trace_bytes, **{name: getattr(made, name) for name in names})

    def probe_layers(self, request):
        probes = []
        for other in request.others:
            axes = ("layout", "precision", "batch_size")
            (axis,) = (name for name in axes if getattr(other, name) != getattr(self.case, name))
            probes.append(_profiles().probe(axis=axis, value=str(getattr(other, axis))))
        return LayersProbed(probes=tuple(probes), nulls={})

    def device_peaks(self, request):
        made = _profiles().peaks()
        names = ("device_name", "compute", "bandwidths", "dispatch_s", "launch_s", "notes", "nulls")
        return DevicePeaksMeasured(**{name: getattr(made, name) for name in names})

    def predict_memory(self, request):
        made = _profiles().memory()
        return MemoryPredicted(parts=made.predicted, phase=made.peak_phase, module=made.peak_module, points=made.points)

    def measure_memory(self, request):
        made = _profiles().memory()
        return MemoryMeasured(peak_bytes=made.measured_bytes, points=made.measured_points, nulls={})

    def failure(self, error):
        return Failure(failed="error", cause=f"{type(error).__name__}: {error}")


def _profiles():
    from tests import profiles  # noqa: PLC0415 - most workers need none of it

    return profiles


def check_verbs(kind):
    """Raise `TypeError` where a fake has no answer to a verb."""
    if missing := [verb for verb in VERBS if not hasattr(kind, verb)]:
        raise TypeError(f"{kind.__name__} does not answer {', '.join(missing)}")


check_verbs(FakeWorker)

# ------------------------------------------------------------------------------------------------------ in this process


class FakeChannel:
    """A worker in this process, asked as a forked one is."""

    def __init__(self, worker, script=lambda verb, worker: None):
        """`script` may answer in the worker's place: with an exception, or with changes to its reply."""
        self.worker = worker
        self.script = script
        self.killed = self.closed = False

    @property
    def case(self):
        return self.worker.case

    def request(self, message, *, timeout_s):
        assert timeout_s > 0
        reply = reply_to(message, self.worker)
        change = self.script(message["do"], self.worker)
        if isinstance(change, Exception):
            raise change
        return json.loads(json.dumps(reply | (change or {})))

    def kill(self):
        self.killed = True

    def close(self):
        self.closed = True


class FakeServer:
    """A fork server whose workers are fakes in this process."""

    def __init__(self, script=lambda verb, case, server: None, worker=FakeWorker, host_bytes=FakeWorker.host_bytes):
        self.script = script
        self.worker = worker
        self.host_bytes = host_bytes
        self.workers = []
        self.most_alive = 0

    def spawn(self, target=""):
        worker = self.worker()
        worker.random, worker.host_bytes = random.Random(len(self.workers)), self.host_bytes
        self.workers.append(FakeChannel(worker, lambda verb, worker: self.script(verb, worker.case, self)))
        self.most_alive = max(self.most_alive, len(self.alive))
        return self.workers[-1]

    @property
    def alive(self):
        return [worker for worker in self.workers if not worker.closed]


# ------------------------------------------------------------------------------------------------- in real processes


class Server(forkserver.ForkServer):
    """The real fork server, which does not wait for torch, and whose usual workers are those of `target`."""

    def __init__(self, python=None, *, target="tests.bench.fakes:serve", **options):
        self._target = target
        super().__init__(python, preload=[target.partition(":")[0]], leave_s=1.0, **options)

    def spawn(self, target=forkserver.SERVE):
        return super().spawn(self._target if target == forkserver.SERVE else target)


def given():
    """Return what the test has written into its folder."""
    return json.loads(pathlib.Path(os.environ[FOLDER], "given.json").read_text())


def write_given(folder, **more):
    """Write into `folder` what workers answer about the machine and about a model, and `more`."""
    from tests.conftest import _run, _static  # noqa: PLC0415 - the workers need none of it

    content = {"environment": msgspec.to_builtins(_run().environment), "static": msgspec.to_builtins(_static()), **more}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "given.json").write_text(json.dumps(content))


def serve(connection, kind=FakeWorker, spoil=lambda verb, worker, reply: reply):
    """Be a worker of a `kind`; `spoil` may change a reply, or send something itself and return None."""
    worker = kind(given())
    for line in connection.makefile("rb"):
        message = json.loads(line)
        reply = spoil(message["do"], worker, reply_to(message, worker))
        if reply is not None:
            connection.sendall(json.dumps(reply).encode() + b"\n")
