import dataclasses
import itertools
import signal

import pytest
from msgspec import structs

from bench.machine import memory
from bench.process.client import WorkerClient
from bench.process.forkserver import WorkerDied
from bench.process.gpu_watch import own_memory
from bench.process.messages import Footprint
from bench.process.protocol import Failed
from bench.process.sustained import SustainedUse
from results.schema.labels import TASKS
from results.schema.lines.record import Agreement, Clocks, Samples
from results.schema.lines.run import Settings
from tests.bench.fakes import FakeServer, FakeWorker

SETTINGS = Settings(replicates=1, target=0.01, budget_s=0.2, timeout_s=60, time_limit_s=None)
SAMPLES = Samples(step_s=(0.01,) * 4, turn=(0, 1, 2, 3), wall_s=(0.01,) * 4, warmup=0, steady=True)


def changing(on, change):
    """Return a server whose workers change their reply to a verb so."""
    return FakeServer(lambda verb, case, server: change if verb == on else None)


@pytest.fixture
def client(make_case, tmp_path):
    def client(server, replicate=0, *, warm=False, **axes):
        client = WorkerClient(server, make_case(**axes), replicate, SETTINGS)
        client.prepare(str(tmp_path / "cache"), warm=warm)
        return client

    return client


def test_a_case_goes_from_its_first_step_to_its_record(client):
    server = FakeServer()
    subject = client(server, task="training", layout="nhwc")
    assert subject.phases == ("forward", "backward", "optimizer")
    assert [len(phases) for phases in subject.turn(steps=2, drop=1).phase_s] == [3, 3]
    record = subject.end(SAMPLES, "budget")
    assert (record.status, record.stop, record.case) == ("ok", "budget", subject.case)
    assert record.facts.first_step_s == 0.5
    assert record.equality.verdict == "equal"
    assert record.ran.layout == "nhwc"
    assert not server.alive


def test_compiling_includes_the_recording_of_graphs(client):
    """Of three steps that record a graph, three steady steps are no preparation."""
    server = changing("prepare", {"first_step_s": 9.0, "recording_s": [1.5, 0.012]})
    for warm, fact in ((False, "compile_s"), (True, "warm_compile_s")):
        subject = client(server, warm=warm, runtime="compile:reduce-overhead")
        facts = subject.end(SAMPLES, "budget").facts
        assert getattr(facts, fact) == pytest.approx(9.0 + 1.5 + 0.012 - 3 * 0.01)
        assert facts.first_step_s == (None if warm else 9.0)


@pytest.mark.parametrize("phases", [("forward", "evaluation"), ("step",), ("wall",)])
def test_a_phase_without_a_field_fails_before_anything_is_timed(client, phases):
    server = changing("prepare", {"phases": phases})
    with pytest.raises(Failed, match=f"no field for the times of the phase '{phases[-1]}'"):
        client(server)


def test_every_phase_of_a_task_has_its_field():
    phases = {phase for task in TASKS.values() for phase in task.phases}
    assert {f"{phase}_s" for phase in phases} <= set(Samples.__struct_fields__)


@pytest.mark.parametrize(
    ("replicate", "axes", "reason"),
    [(0, {}, "it is the baseline"), (1, {"layout": "nhwc"}, "first replicate"), (1, {}, "first replicate")],
)
def test_what_is_not_compared_with_the_baseline_says_why(client, replicate, axes, reason):
    record = client(FakeServer(), replicate, **axes).end(SAMPLES, "target")
    assert record.equality is None
    assert reason in record.nulls["equality"]


def test_a_comparison_that_fails_costs_nothing_else(client):
    death = WorkerDied("killed by SIGKILL", signal_number=signal.SIGKILL)
    record = client(changing("check", death), layout="nhwc").end(SAMPLES, "target")
    assert record.status == "ok"
    assert "SIGKILL" in record.nulls["equality"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"token": "another's"}, "error"),
        ({"wall_s": -1.0}, "error"),
        ({"phase_s": [[0.1]]}, "error"),
        ({"failed": "out-of-memory", "cause": "CUDA out of memory"}, "out-of-memory"),
        (WorkerDied("silent", hung=True), "timeout"),
        (WorkerDied("killed by SIGSEGV", signal_number=signal.SIGSEGV), "crash"),
    ],
    ids=str,
)
def test_a_turn_that_comes_to_nothing_has_the_status_of_its_record(client, change, status):
    subject = client(changing("turn", change))
    with pytest.raises(Failed) as caught:
        subject.turn(steps=2, drop=0)
    record = subject.fail(caught.value, SAMPLES)
    assert (record.status, record.samples) == (status, SAMPLES)
    assert record.cause
    assert "\n" not in record.cause


def test_the_gpu_that_the_worker_names_is_asked_after_every_turn(client, monkeypatch):
    asked = []

    class Watch:
        restriction = None

        def begin(self, identity):
            asked.append(identity)

        def read(self):
            asked.append("read")

        def signs(self, noise):
            return structs.replace(noise, accelerator_held={"power": 0.5}), {"accelerator_throttling": "why"}

        def clocks(self):
            return Clocks(turns=2), {"clocks.sm_hz": "NVML: Not Supported"}

    monkeypatch.setattr("bench.process.client.GpuWatch", Watch)
    subject = client(changing("prepare", {"identity": "aa"}), device="cuda:0")
    for _ in range(2):
        subject.turn(steps=1, drop=0)
    assert asked == ["aa", "read", "read"]
    record = subject.end(SAMPLES, "budget")
    assert (record.noise.accelerator_held, record.clocks) == ({"power": 0.5}, Clocks(turns=2))
    assert record.nulls["clocks.sm_hz"] == "NVML: Not Supported"
    assert record.nulls["noise.accelerator_throttling"] == "why"


def test_sustained_use_has_clocks_of_its_own_and_disturbs_no_sign_of_the_rotation(client, monkeypatch):
    class Watch:
        restriction = None
        turns = 0

        def begin(self, identity):
            assert identity == "aa"

        def read(self):
            self.turns += 1

        def signs(self, noise):
            return structs.replace(noise, accelerator_held={"power": self.turns / 10}), {}

        def clocks(self):
            return Clocks(turns=self.turns), {"clocks.sm_hz": f"for {self.turns} turns"}

    monkeypatch.setattr("bench.process.client.GpuWatch", Watch)
    subject = client(changing("prepare", {"identity": "aa"}), device="cuda:0")
    for turns, then in ((2, subject.leave), (1, subject.watch_again), (3, list)):
        for _ in range(turns):
            subject.turn(steps=1, drop=0)
        then()
    subject.sustained = SustainedUse(step_s=0.02, image_j=None, idle_w=None, nulls={"image_j": "why"})
    record = subject.end(SAMPLES, "budget")
    assert (record.clocks, record.sustained_clocks) == (Clocks(turns=2), Clocks(turns=3))
    assert record.noise.accelerator_held == {"power": 0.2}
    assert record.facts.sustained_s == 0.02
    assert record.nulls["clocks.sm_hz"] == "for 2 turns"
    assert record.nulls["sustained_clocks.sm_hz"] == "for 3 turns"
    assert "sustained_s" not in record.nulls
    assert record.nulls["image_j"] == "why"


def test_what_may_take_memory_is_noted_before_other_watches_look_again(client):
    changes = [own_memory.changes]
    subject = client(FakeServer(), device="cuda:0", layout="nhwc")
    changes.append(own_memory.changes)
    for _ in range(4):
        subject.turn(steps=1, drop=0)
        changes.append(own_memory.changes)
    subject.end(SAMPLES, "budget")
    changes.append(own_memory.changes)
    assert [after - before for before, after in itertools.pairwise(changes)] == [1, 1, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("mark_s", "task", "note"),
    [(3e-5, "inference", None), (3e-5, "training", "up to 1.8%"), (6e-5, "inference", "up to 1.2%")],
)
def test_marks_that_take_a_share_of_a_step_are_a_note(client, mark_s, task, note):
    samples = structs.replace(SAMPLES, step_s=(0.005,) * 4)
    subject = client(changing("finish", {"facts": {"mark_s": mark_s}}), device="cuda:0", task=task)
    record = subject.end(samples, "budget")
    assert record.facts.mark_s == mark_s
    assert [note for note in record.notes if "marks around" in note] == (
        [f"the marks around its steps take {note} of their time"] if note else []
    )


def test_no_driver_is_asked_for_a_cpu(client, monkeypatch):
    monkeypatch.setattr("bench.process.client.GpuWatch", None)
    subject = client(FakeServer())
    subject.turn(steps=1, drop=0)
    record = subject.end(SAMPLES, "budget")
    assert (record.noise.accelerator_held, record.clocks) == (None, None)


def test_two_clients_that_swap_their_workers_are_caught(client):
    first, second = client(FakeServer()), client(FakeServer())
    first._channel, second._channel = second._channel, first._channel
    with pytest.raises(Failed, match="another case"):
        first.turn(steps=1, drop=0)


def test_a_kill_by_the_kernel_for_memory_is_no_crash(client, monkeypatch):
    kills = iter([7, 8])
    monkeypatch.setattr(memory, "kernel_oom_kills", lambda: next(kills))
    subject = client(changing("turn", WorkerDied("killed by SIGKILL", signal_number=signal.SIGKILL)))
    with pytest.raises(Failed) as caught:
        subject.turn(steps=1, drop=0)
    assert caught.value.status == "out-of-memory"


def test_a_footprint_is_what_the_worker_says(client):
    device = {"host_bytes": 7, "device_bytes": 5, "device_free_bytes": 9}
    assert client(changing("footprint", device)).footprint() == Footprint(**device)
    with pytest.raises(Failed, match="host_bytes"):
        client(changing("footprint", {"host_bytes": 0})).footprint()


@pytest.mark.parametrize("shared", [None, "of the baseline"])
def test_the_check_of_the_result_is_given_the_shared_folder(make_case, tmp_path, shared):
    asked = []

    class Checked(FakeWorker):
        def check(self, request):
            asked.append(request.folder)
            return super().check(request)

    subject = WorkerClient(FakeServer(worker=Checked), make_case(layout="nhwc"), 0, SETTINGS)
    subject.prepare(str(tmp_path / "cache"), shared=shared)
    subject.end(SAMPLES, "target")
    assert asked == [shared or str(tmp_path)]


def test_a_cold_compile_time_is_the_first_step_less_a_steady_step_and_says_why_there_is_no_warm_time(client):
    server = FakeServer()
    record = client(server, runtime="compile").end(SAMPLES, "target")
    assert record.facts.compile_s == pytest.approx(0.49)
    assert record.facts.warm_compile_s is None
    assert "later replicates" in record.nulls["warm_compile_s"]
    assert len(server.workers) == 1


def test_a_compilation_from_a_filled_cache_is_never_called_cold(client):
    record = client(FakeServer(), 1, warm=True, runtime="compile").end(SAMPLES, "budget")
    assert (record.facts.compile_s, record.facts.warm_compile_s) == (None, pytest.approx(0.49))
    assert "cache" in record.nulls["compile_s"]


def test_an_eager_case_has_no_compile_time(client):
    record = client(FakeServer()).end(SAMPLES, "target")
    assert structs.asdict(record.facts)["compile_s"] is None
    assert record.nulls["compile_s"] == record.nulls["warm_compile_s"] == "nothing is compiled"


AGREED = Agreement(network="a network", images=100, agreed=99, lost=1, gained=0, reference_correct=93)


class Quantized(FakeWorker):
    def check(self, request):
        return dataclasses.replace(super().check(request), agreement=AGREED)


class Imageless(FakeWorker):
    def check(self, request):
        return dataclasses.replace(
            super().check(request), nulls={"agreement": "not measured: no files of Fashion-MNIST"}
        )


def test_a_quantized_case_has_its_agreement_or_why_not(client):
    axes = {"runtime": "openvino", "precision": "int8"}
    record = client(FakeServer(worker=Quantized), **axes).end(SAMPLES, "target")
    assert record.agreement == AGREED
    assert "agreement" not in record.nulls
    record = client(FakeServer(worker=Imageless), **axes).end(SAMPLES, "target")
    assert record.agreement is None
    assert "Fashion-MNIST" in record.nulls["agreement"]
    assert "fp64" in client(FakeServer(), runtime="openvino").end(SAMPLES, "target").nulls["agreement"]


def test_a_caller_decides_whether_the_result_is_checked(client):
    left = client(FakeServer(), layout="nhwc").end(SAMPLES, "eliminated", check=False)
    assert left.equality is None
    assert "left the search" in left.nulls["equality"]
    later = client(FakeServer(), 1, layout="nhwc").end(SAMPLES, "target", check=True)
    assert later.equality.verdict == "equal"
    usual = client(FakeServer(), 1, layout="nhwc").end(SAMPLES, "target")
    assert usual.nulls["equality"] == "checked in the first replicate"
