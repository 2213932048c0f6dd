import os
import pathlib
import shutil

import pytest
import torch
import torch._dynamo
import torch._inductor
from msgspec import structs
from torch._inductor import config

from bench.measure.device import Cpu, Unsupported
from bench.process.messages import Finish, Prepare, TakeTurn
from bench.runtimes import inductor
from bench.tasks.workload import build
from bench.worker.serve import WorkerServer
from tests.bench.runtimes.engines import small

needs_compiler = pytest.mark.skipif(
    shutil.which("g++") is None and shutil.which("clang++") is None, reason="no C++ compiler here"
)


@pytest.fixture
def case(make_case):
    return make_case(model="cifar_resnet20", batch_size=2, image_size=32, threads=1, runtime="compile")


@pytest.fixture
def fresh_compiler(monkeypatch):
    threads = torch.get_num_threads()
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    for variable in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"):
        monkeypatch.setenv(variable, "set again by the engine")
    yield
    torch.set_num_threads(threads)


def prepared(case, folder):
    worker = WorkerServer()
    worker.prepare(Prepare(case=case, cache=str(folder), token="its own"))  # noqa: S106 - it guards nothing
    return worker


@needs_compiler
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.parametrize("broken", [False, True], ids=["whole", "with a graph break"])
def test_compilation_is_real_private_and_its_graph_breaks_are_counted(case, tmp_path, monkeypatch, broken):
    class Small(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(3, 10)

        def forward(self, x):
            x = x.mean((2, 3)).relu()
            if broken:
                torch._dynamo.graph_break()
            return self.fc(x)

    monkeypatch.setattr("bench.tasks.networks.create_network", lambda name, **_: Small())
    subject = prepared(case, tmp_path)
    assert len(subject.turn(TakeTurn(steps=2, drop=1)).phase_s) == 2
    end = subject.finish(Finish())
    assert (end.facts.graph_breaks, end.facts.recompiles) == (int(broken), 0)
    assert "compile_s" not in end.nulls
    assert any(path.is_file() for path in tmp_path.rglob("*"))  # the compiler worked, and there
    assert pathlib.Path(os.environ["TRITON_CACHE_DIR"]).is_relative_to(tmp_path)


@needs_compiler
@pytest.mark.usefixtures("fresh_compiler")
def test_a_compilation_inside_the_timed_steps_is_counted(case, tmp_path, monkeypatch):
    class Small(torch.nn.Module):
        scale = 1.0

        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(3, 10)

        def forward(self, x):
            return self.fc(x.mean((2, 3)) * self.scale)

    monkeypatch.setattr("bench.tasks.networks.create_network", lambda name, **_: Small())
    subject = prepared(case, tmp_path)
    subject.workload.module.scale = 2.0
    subject.turn(TakeTurn(steps=2, drop=1))
    assert subject.finish(Finish()).facts.recompiles == 1


@pytest.mark.parametrize(
    ("runtime", "device", "supported"),
    [
        ("compile", "cpu", True),
        ("compile:max-autotune", "cpu", True),
        ("compile:reduce-overhead", "cpu", False),
        ("compile:reduce-overhead", "mps:0", False),
        ("compile:reduce-overhead", "cuda:0", True),
    ],
)
def test_a_mode_that_would_be_another_is_unsupported(make_case, runtime, device, supported):
    reason = inductor.RUNTIME.unsupported(make_case(runtime=runtime, device=device))
    assert (reason is None) == supported
    assert reason is None or device in reason


SMALL = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.ReLU(), torch.nn.Linear(3, 10))


@needs_compiler
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.parametrize(
    ("setting", "value"),
    [("disable", True), ("debug_backend_override", ">=0:eager"), ("debug_backend_override", ">=0:aot_eager")],
)
def test_a_case_that_compiles_nothing_is_unsupported(case, tmp_path, monkeypatch, setting, value):
    monkeypatch.setattr("bench.tasks.networks.create_network", lambda name, **_: SMALL)
    monkeypatch.setenv("TORCH_COMPILE_DISABLE", "1")
    with torch._dynamo.config.patch(setting, value), pytest.raises(Unsupported, match="nothing was compiled") as caught:
        prepared(case, tmp_path)
    assert "unset TORCH_COMPILE_DISABLE" in str(caught.value)


@pytest.mark.usefixtures("fresh_compiler")
def test_suppressed_errors_of_the_compiler_are_unsupported(case, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no compiler")

    monkeypatch.setattr("bench.tasks.networks.create_network", lambda name, **_: SMALL)
    monkeypatch.setattr("torch._inductor.compile_fx.compile_fx", fail)
    monkeypatch.setenv("TORCHDYNAMO_SUPPRESS_ERRORS", "0")  # torch takes any text as true
    with torch._dynamo.config.patch(suppress_errors=True), pytest.raises(Unsupported) as caught:
        prepared(case, tmp_path)
    assert "unset TORCHDYNAMO_SUPPRESS_ERRORS, which shows" in str(caught.value)


@needs_compiler
@pytest.mark.usefixtures("fresh_compiler")
def test_timed_steps_without_a_compiled_graph_are_no_row_of_compile(case, tmp_path, monkeypatch):
    monkeypatch.setattr("bench.tasks.networks.create_network", lambda name, **_: SMALL)
    subject = prepared(case, tmp_path)
    with torch.compiler.set_stance("force_eager"):
        subject.turn(TakeTurn(steps=2, drop=1))
    with pytest.raises(Unsupported, match=r"3 of 4 steps ran without a compiled graph.*set_stance"):
        subject.finish(Finish())


def test_a_folder_without_programs_is_named_with_a_remedy(case, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "statvfs", lambda _: type("Flags", (), {"f_flag": os.ST_NOEXEC}))
    with pytest.raises(Unsupported, match=r"noexec.*TORCHINDUCTOR_CACHE_DIR"):
        inductor.RUNTIME.prepare(case, SMALL, torch.zeros(1), device=Cpu(), cache=tmp_path)


@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.parametrize("kind", ["openreg", "cuda"])
def test_a_device_without_a_back_end_is_unsupported(case, tmp_path, kind):
    case = structs.replace(case, device=f"{kind}:0")

    def prepare():
        return inductor.RUNTIME.prepare(case, SMALL, torch.zeros(1), device=Cpu(), cache=tmp_path)

    if kind == "cuda":
        prepare()
    else:
        with pytest.raises(Unsupported, match="no back-end for openreg:0"):
            prepare()


@needs_compiler
@pytest.mark.usefixtures("fresh_compiler")
def test_the_compilers_processes_end_with_the_first_step(case, tmp_path, monkeypatch):
    ended = []
    monkeypatch.setattr("bench.tasks.networks.create_network", lambda name, **_: SMALL)
    monkeypatch.setattr("torch._inductor.async_compile.shutdown_compile_workers", lambda: ended.append("all"))
    prepared(case, tmp_path).turn(TakeTurn(steps=2, drop=1))
    assert ended == ["all"]


@pytest.mark.parametrize("option", inductor._OPTIONS)
def test_a_variable_that_turns_a_mode_into_another_is_unsupported(case, monkeypatch, tmp_path, option):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "set again by the engine")
    monkeypatch.setenv("TRITON_CACHE_DIR", "set again by the engine")

    def prepare(runtime):
        return inductor.RUNTIME.prepare(
            structs.replace(case, runtime=runtime), SMALL, torch.zeros(1), device=Cpu(), cache=tmp_path
        )

    with torch._inductor.config.patch(option, True):
        with pytest.raises(Unsupported, match=f"unset {inductor._OPTIONS[option]}"):
            prepare("compile")
        prepare("compile:max-autotune")  # which promises both
    prepare("compile")


def test_suppressed_errors_of_a_part_are_noted(monkeypatch):
    subject = inductor.CompiledModule(torch.nn.Identity(), torch.zeros(1), Cpu())
    monkeypatch.setitem(inductor.counters, "frames", {"total": 3, "ok": 1})
    assert subject.report().notes == ()
    with torch._dynamo.config.patch(suppress_errors=True):
        assert "2 functions" in subject.report().notes[0]


@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.parametrize(
    ("runtime", "big", "noted"),
    [
        ("compile:max-autotune", False, True),
        ("compile:max-autotune-no-cudagraphs", False, True),
        ("compile:max-autotune", True, False),
        ("compile:reduce-overhead", False, False),
    ],
)
def test_a_gpu_with_few_processors_is_noted(case, tmp_path, monkeypatch, runtime, big, noted):
    monkeypatch.setattr("torch._inductor.utils.is_big_gpu", lambda device: big)
    case = structs.replace(case, runtime=runtime, device="cuda:0")
    subject = inductor.RUNTIME.prepare(case, SMALL, torch.zeros(1), device=Cpu(), cache=tmp_path)
    assert any("tries no templates" in note for note in subject.report().notes) is noted


def test_skipped_cuda_graphs_are_noted(monkeypatch):
    subject = inductor.CompiledModule(torch.nn.Identity(), torch.zeros(1), Cpu())
    assert subject.report().notes == ()
    monkeypatch.setitem(inductor.counters["inductor"], "cudagraph_skips", 3)
    assert "3 times" in subject.report().notes[0]


@needs_compiler
@pytest.mark.usefixtures("fresh_compiler")
def test_frozen_weights_are_in_the_code_and_others_are_compiled_anew(make_case, tmp_path):
    with config.patch(freezing=False):  # and so again after the test
        work = build(small(make_case, runtime="compile:freezing", batch_size=1), cache=tmp_path)

        def step():
            with work.context():
                return work.step(lambda: None).clone()

        first = step()
        with torch.no_grad():
            work.module.fc.weight.zero_()
        assert torch.equal(step(), first)  # an input of the graph would have changed
        assert first.abs().sum() > 0
        work.prepared.load({name: torch.zeros_like(tensor) for name, tensor in work.module.state_dict().items()})
        assert step().abs().sum() == 0


@needs_compiler
@pytest.mark.usefixtures("fresh_compiler")
def test_a_compiler_that_freezes_nothing_leaves_the_weights_inputs(make_case, tmp_path):
    with config.patch(freezing=True):
        build(small(make_case, runtime="compile"), cache=tmp_path)
        assert not config.freezing
