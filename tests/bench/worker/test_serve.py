import contextlib
import dataclasses
import json
import socket
import subprocess
import sys
import threading
import types

import msgspec
import pytest
import torch
import torch._dynamo
from msgspec import structs

from bench.measure.device import Cpu, PeakMemory, Unsupported
from bench.process.messages import CheckEquality, Finish, MeasureFootprint, Prepare
from bench.process.protocol import Failed, answer_of
from bench.runtimes import NOTHING_COMPILED
from bench.validate.equality import Incomparable
from bench.worker import serve
from results.schema.case import Case
from results.schema.lines.record import Equality, Facts, Ran
from results.schema.validation import validated
from tests.bench.cards import Card

OURS = "the case of this test"


@pytest.fixture
def ask():
    """Serve a worker in a thread of this process and ask it."""
    ours, theirs = socket.socketpair()
    threads = torch.get_num_threads()
    thread = threading.Thread(target=serve.serve, args=(theirs,))
    thread.start()
    lines = ours.makefile("rb")

    def ask(do, **arguments):
        ours.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
        return json.loads(lines.readline())

    yield ask
    lines.close()
    ours.close()
    thread.join(timeout=30)
    assert not thread.is_alive()
    torch.set_num_threads(threads)


@pytest.fixture
def tiny(make_case):
    def tiny(**axes):
        case = {"model": "cifar_resnet20", "batch_size": 2, "image_size": 32, "threads": 1, **axes}
        return structs.asdict(make_case(**case))

    return tiny


def order(case, folder):
    """Return the request to prepare a case."""
    return Prepare(case=Case(**case), cache=str(folder), token=OURS)


def test_a_case_from_its_first_step_to_its_end(ask, tiny, tmp_path):
    ready = ask("prepare", case=tiny(task="training"), cache=str(tmp_path), token=OURS)
    assert ready["first_step_s"] > 0
    assert ready["phases"] == ["forward", "backward", "optimizer"]
    turn = ask("turn", steps=3, drop=1)
    assert [len(step) for step in turn["phase_s"]] == [3, 3, 3]
    assert sum(map(sum, turn["phase_s"])) <= turn["wall_s"] * 3
    assert ask("footprint")["device_bytes"] is None
    end = ask("finish")
    assert validated(end["ran"], Ran).compute_dtypes == ("float32",)
    assert end["notes"] == []
    assert end["nulls"]["graph_breaks"] == end["nulls"]["recompiles"] == "nothing is compiled"
    assert {answer["token"] for answer in (ready, turn, end)} == {OURS}


def test_a_case_is_checked_against_fp64_after_it_was_timed(ask, tiny, tmp_path):
    ask("prepare", case=tiny(layout="nhwc"), cache=str(tmp_path), token=OURS)
    ask("turn", steps=1, drop=0)
    ask("finish")
    answer = ask("check", folder=str(tmp_path))
    assert validated(answer["equality"], Equality).verdict == "equal"
    assert answer["token"] == OURS


def test_a_check_that_fails_is_an_answer_too(ask, tiny, tmp_path):
    ask("prepare", case=tiny(layout="nhwc"), cache=str(tmp_path), token=OURS)
    assert ask("check", folder=str(tmp_path / "gone"))["failed"] == "error"
    assert "facts" in ask("finish")


def test_a_reference_that_memory_does_not_hold_is_not_tried(ask, tiny, tmp_path, monkeypatch):
    ask("prepare", case=tiny(task="training", layout="nhwc"), cache=str(tmp_path), token=OURS)
    monkeypatch.setattr("bench.machine.memory.available", lambda: 1 << 10)
    assert "are not free" in ask("check", folder=str(tmp_path))["cause"]


def test_what_goes_wrong_is_an_answer_and_the_worker_lives_on(ask, tiny, tmp_path):
    assert ask("prepare", case=tiny(precision="tf32"), cache=str(tmp_path), token=OURS)["failed"] == "unsupported"
    assert ask("turn", steps=1, drop=0)["failed"] == "error"
    assert ask("static", model="resnt18", image_size=224)["failed"] == "error"
    assert "first_step_s" in ask("prepare", case=tiny(), cache=str(tmp_path), token=OURS)


def test_static_and_description_are_counted_in_a_worker(ask):
    assert ask("static", model="cifar_resnet20", image_size=32)["static"]["parameters"] > 250_000
    description = ask("describe", devices=["cpu"])
    assert description["devices"] == ["cpu"]
    assert description["environment"]["torch"] == torch.__version__
    assert "no device 'cuda:99'" in ask("describe", devices=["cpu", "cuda:99"])["cause"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "out-of-memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "out-of-memory"),
        (MemoryError(), "out-of-memory"),
        (RuntimeError("InductorError: OutOfMemoryError: CUDA out of memory. Tried to allocate"), "out-of-memory"),
        (RuntimeError("CUDA error: out of memory"), "out-of-memory"),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), "out-of-memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), "out-of-memory"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "out-of-memory"),
        (
            RuntimeError("level_zero backend failed with error: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)"),
            "out-of-memory",
        ),
        (RuntimeError("UR error: UR_RESULT_ERROR_OUT_OF_RESOURCES"), "out-of-memory"),
        (RuntimeError("Failed to allocate 4096 bytes on the device"), "out-of-memory"),
        (RuntimeError("CUDA error: no kernel image is available for execution on the device"), "unsupported"),
        (AssertionError("no scheduling registered for device openreg"), "unsupported"),
        (RuntimeError("torch.compile is not supported on Python 3.99+"), "unsupported"),
        (Unsupported("no"), "unsupported"),
        (NotImplementedError("no kernel"), "unsupported"),
        (RuntimeError("\"slow_conv2d_cpu\" not implemented for 'Half'"), "unsupported"),
        (RuntimeError("InvalidCxxCompiler: No working C++ compiler found"), "unsupported"),
        (ValueError("bad"), "error"),
    ],
)
def test_errors_have_their_status(error, status):
    assert serve.classify(error) == status


@pytest.mark.parametrize(
    ("words", "crowded"),
    [
        ("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`", True),
        ("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED", True),
        ("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR", True),
        ("Unable to find a valid cuDNN algorithm to run convolution", True),
        ("FIND was unable to find an engine to execute this computation", True),
        ("CUDA error: CUDA-capable device(s) is/are busy or unavailable", False),  # the parent knows what to do
        ("CUDA error: an illegal memory access was encountered", False),
    ],
)
def test_a_lack_of_memory_in_disguise_is_an_error_that_is_worth_another_try(words, crowded):
    failure = serve.WorkerServer().failure(RuntimeError(words))
    assert (failure.failed, failure.crowded) == ("error", crowded)
    with pytest.raises(Failed) as caught:
        answer_of(Finish(), msgspec.to_builtins(failure) | {"token": OURS}, OURS)
    assert (caught.value.status, caught.value.crowded) == ("error", crowded)


class Watched(Cpu):
    """A device that counts, in place of seconds, how often it was waited for."""

    def __init__(self):
        self.waits = 0
        self.peak = PeakMemory(allocated=8_000, reserved=9_000)

    def synchronize(self):
        self.waits += 1

    def peak_memory(self):
        return self.peak

    def restart_peak(self):
        before, self.peak = self.peak, PeakMemory(allocated=3_000, reserved=5_000)
        return before

    def free_memory(self):
        return 7_000


def test_the_first_step_is_awaited_and_begins_when_the_device_is_idle(tiny, tmp_path):
    device = Watched()
    subject = serve.WorkerServer(open_device=lambda name: device, clock=lambda: float(device.waits))
    ready = subject.prepare(order(tiny(), tmp_path))
    assert ready.first_step_s == 1.0  # one wait before the clock starts, one before it stops
    assert device.waits == 2


def test_an_accelerators_memory_is_reported_in_place_of_the_hosts(tiny, tmp_path):
    subject = serve.WorkerServer(open_device=lambda name: Watched())
    subject.prepare(order(tiny(), tmp_path))
    subject.case = structs.replace(subject.case, device="cuda:0")
    subject.workload = dataclasses.replace(subject.workload, step=lambda mark: 1 / 0)
    footprint = subject.footprint(MeasureFootprint())
    assert (footprint.device_bytes, footprint.device_free_bytes) == (9_000, 7_000)  # a later worker prepares too
    end = subject.finish(Finish())
    assert 0 < end.facts.mark_s < 0.1
    assert structs.replace(end.facts, mark_s=None) == Facts(
        peak_prepare_bytes=8_000, peak_allocated_bytes=3_000, peak_reserved_bytes=5_000
    )
    assert "accelerator" in end.nulls["peak_resident_bytes"]
    assert end.ran is None
    assert "division by zero" in end.nulls["ran"]


@pytest.mark.parametrize(("taken", "answered"), [(3_000, True), (1 << 40, False), (None, False)])
def test_a_reference_without_room_on_the_accelerator_is_the_cpus(tiny, tmp_path, monkeypatch, taken, answered):
    subject = serve.WorkerServer(open_device=lambda name: Watched())
    subject.prepare(order(tiny(), tmp_path))
    subject.case = structs.replace(subject.case, device="cuda:0")
    subject.device.peak_memory = lambda: PeakMemory(allocated=taken, reserved=taken)
    verdict = Equality(verdict="equal", error=1e-6, baseline_error=1e-6, allowed=1e-5, what="output")
    asked = []

    def check(case, workload, folder, *, device=None):
        asked.append(device)
        if device is None:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return verdict

    monkeypatch.setattr("bench.validate.equality.check_equality", check)
    if answered:
        assert subject.check(CheckEquality(folder=str(tmp_path))).equality == verdict
        assert asked == [None, "cpu"]
    else:
        with pytest.raises(Incomparable, match="does not fit into the memory that other workers leave on cuda:0"):
            subject.check(CheckEquality(folder=str(tmp_path)))
        assert asked == [None]


def test_a_reference_without_room_beside_others_is_asked_for_again(make_case, tmp_path, monkeypatch):
    """Two workers on a full card: the reference of the first fits when the second has released what it keeps."""
    card = Card(memory_bytes=10_000, context_bytes=1_000)
    verdict = Equality(verdict="equal", error=1e-6, baseline_error=1e-6, allowed=1e-5, what="output")

    def check(case, workload, folder, *, device=None):
        assert device is None
        context = workload.prepared.device
        context.allocate(6_000)
        context.release(6_000)
        return verdict

    monkeypatch.setattr("bench.validate.equality.check_equality", check)
    workers = []
    for _ in range(2):
        subject = serve.WorkerServer()
        subject.case, subject.device = make_case(device="cuda:0"), card.open()
        subject.workload = types.SimpleNamespace(prepared=types.SimpleNamespace(device=subject.device))
        subject.device.allocate(3_000)
        subject.device.release(2_500)
        workers.append(subject)
    first, second = workers
    with pytest.raises(MemoryError, match="beside the other workers on cuda:0") as raised:
        first.check(CheckEquality(folder=str(tmp_path), again=True))
    assert first.failure(raised.value).failed == "out-of-memory"
    assert card.free == 10_000 - 2 * 1_000 - 3_000 - 500  # it keeps what the case itself needs
    assert second.check(CheckEquality(folder=str(tmp_path), again=True)).equality == verdict
    second.device.close()
    assert first.check(CheckEquality(folder=str(tmp_path))).equality == verdict


@pytest.fixture
def on_card(make_case, monkeypatch, tmp_path):
    """Prepare a case on a simulated card, whose steps allocate and take the host what a list says."""

    def on_card(runtime, *steps, device="cuda:0"):
        context = Card().open(device)
        coming = iter(steps)

        def step(mark):
            host_s, count = next(coming)
            context.allocate(count)
            context.launch(host_s, 0.001)
            context.release(count)

        prepared = types.SimpleNamespace(device=context, first_step_ended=lambda: None, report=lambda: NOTHING_COMPILED)
        workload = types.SimpleNamespace(step=step, context=contextlib.nullcontext, phases=(), prepared=prepared)
        monkeypatch.setattr(serve, "build", lambda case, **_: workload)
        subject = serve.WorkerServer(open_device=lambda name: context, clock=context.card.clock)
        case = make_case(runtime=runtime, device=device)
        ready = subject.prepare(Prepare(case=case, cache=str(tmp_path), token=OURS))
        assert next(coming, None) is None
        return ready, subject

    return on_card


@pytest.mark.parametrize("mode", ["reduce-overhead", "max-autotune"])
def test_the_recording_of_graphs_is_timed_and_its_memory_is_that_of_steps(on_card, mode):
    # A compiler that tries kernels, a recording that allocates what it replays, and a replay that allocates nothing.
    ready, subject = on_card(f"compile:{mode}", (10.0, 9_000), (2.0, 4_000), (0.01, 0))
    assert ready.first_step_s == pytest.approx(10.001)
    assert ready.recording_s == pytest.approx((2.001, 0.011))
    facts = subject.finish(Finish()).facts
    assert (facts.peak_prepare_bytes, facts.peak_allocated_bytes) == (9_000, 4_000)


@pytest.mark.parametrize("runtime", ["eager", "compile", "compile:max-autotune-no-cudagraphs"])
def test_without_graphs_nothing_is_recorded(on_card, runtime):
    assert on_card(runtime, (10.0, 9_000))[0].recording_s == ()


def test_a_device_without_graphs_records_none(on_card):
    assert on_card("compile:max-autotune", (10.0, 9_000), device="xpu:0")[0].recording_s == ()


def test_a_worker_starts_in_an_interpreter_that_lacks_what_only_some_verbs_need():
    """Another interpreter of an A/B comparison must have `forkserver.NEEDED`, and nothing else."""
    program = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('fvcore', 'safetensors', 'pynvml', 'pandas', 'scipy', 'plotly', 'rich')))\n"
        "from bench.worker.serve import WorkerServer\n"
        "WorkerServer()\n"
        "assert 'torch._inductor.compile_fx' not in sys.modules, 'it would miss the variables of the case'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("raised", "agreed", "reason"),
    [(None, "an agreement", None), (ValueError("no files of Fashion-MNIST here"), None, "no files of Fashion-MNIST")],
)
def test_a_quantized_case_is_asked_for_its_agreement(make_case, monkeypatch, raised, agreed, reason):
    def measured(case):
        if raised is not None:
            raise raised
        return "an agreement"

    monkeypatch.setattr("bench.worker.serve.measure_agreement", measured)
    worker = serve.WorkerServer()
    worker.case = make_case(runtime="openvino", precision="int8")
    given, nulls = worker._agreement()
    assert given == agreed
    assert reason is None or reason in nulls["agreement"]
    worker.case = make_case()
    assert worker._agreement() == (None, {})
