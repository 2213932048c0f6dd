"""The whole procedure, with real processes and files, on workers whose times are made up (`tests.bench.made_up`)."""

import itertools
import pathlib
import subprocess
import sysconfig
import time
import venv

import pytest

from bench.process.forkserver import ForkServer
from bench.schedule import ab as module
from bench.schedule import run as runner
from bench.schedule.ab import ArmSetup, ab
from bench.schedule.progress import Note
from results.analysis.ab import compare_arms
from results.errors import InputError
from results.storage.reader import load
from tests.bench import campaign, fakes, made_up

AXES = {"model": "cifar_resnet20", "threads": 1}


@pytest.fixture
def no_torch(tmp_path, monkeypatch):
    """Let every worker of `bench.schedule.ab` be one whose times are made up."""
    folder = tmp_path / "arms"
    campaign.prepare(folder)
    monkeypatch.setenv(made_up.FOLDER, str(folder))
    monkeypatch.setattr(module, "ForkServer", made_up.Server)


def _setup(kind="even", **axes):
    return ArmSetup(axes={**AXES, **axes}, target=f"tests.bench.made_up:{kind}")


class _Shown:
    """Keeps what it is shown."""

    def __init__(self):
        self.lines, self.states = [], []

    def __call__(self, event):
        if isinstance(event, Note):
            self.lines.append(event.line)
        else:
            self.states.append(event)


def test_two_equal_arms_are_the_same(no_torch, tmp_path):
    shown = _Shown()
    found = ab(_setup(), _setup(), out=tmp_path / "runs", show=shown, budget_s=0.05)
    assert (found.judged.verdict, found.outcome) == ("same", "pass")
    assert found.judged.pairs in {10, 20, 40}
    assert found.judged.low < 1 < found.judged.high
    assert shown.lines[-1].endswith(": same")
    assert {state.phase for state in shown.states} == {"preparing", "measuring"}
    assert max(state.done for state in shown.states) == found.judged.pairs - 1


def test_a_slower_arm_is_found_at_the_first_look_and_its_files_tell_the_same(no_torch, tmp_path):
    found = ab(_setup(), _setup("slower", layout="nhwc"), out=tmp_path / "runs", budget_s=0.05)
    assert (found.judged.verdict, found.judged.pairs, found.outcome) == ("slower", 10, "regression")
    assert found.judged.ratio == pytest.approx(1.1, rel=0.01)
    files = [load(tmp_path / "runs" / f"{found.pair}-{name}.jsonl") for name in "ab"]
    assert compare_arms(*files) == found
    for loaded, name in zip(files, "ab", strict=True):
        assert loaded.files[0].complete
        assert not loaded.problems
        assert [record.replicate for record in loaded] == list(range(10))
        run = loaded.files[0].run
        assert (run.arm.name, run.arm.pair, run.suite) == (name, found.pair, "ab")
        assert run.peaks
        assert loaded.files[0].statics
    assert all(record.samples.at_s and not record.samples.arm_s for loaded in files for record in loaded)


def test_swapped_arms_swap_the_verdict(no_torch, tmp_path):
    found = ab(_setup("slower"), _setup(), out=None, budget_s=0.05)
    assert (found.judged.verdict, found.outcome) == ("faster", "pass")
    assert not list(tmp_path.glob("**/*.jsonl"))  # none were asked for


def test_neither_arm_is_always_prepared_first(no_torch):
    shown = _Shown()
    ab(_setup(layout="nchw"), _setup(layout="nhwc"), out=None, show=shown, budget_s=0.05)
    prepared = [state.case for state in shown.states if state.phase == "preparing"]
    firsts = [case.rsplit("/", 2)[1] for case in prepared[::2]]
    assert firsts == [layout for layout, _ in zip(itertools.cycle(["nchw", "nhwc"]), firsts, strict=False)]


@pytest.mark.parametrize(
    ("a", "b", "outcome", "reason"),
    [
        ("even", "dying", "regression", "crash in arm b: it exited with status 3"),
        ("dying", "even", "inconclusive", "crash in arm a: it exited with status 3"),
        ("even", "refusing", "inconclusive", "unsupported in arm b: not on this device"),
    ],
)
def test_a_failed_pair_ends_it_with_its_cause(no_torch, a, b, outcome, reason):
    found = ab(_setup(a), _setup(b), out=None, budget_s=0.05)
    assert found.outcome == outcome
    assert found.reasons[0].startswith(reason)
    assert found.judged.pairs == 0


def test_the_time_limit_ends_it_with_what_there_is(no_torch):
    found = ab(_setup(), _setup("slower"), out=None, budget_s=0.05, time_limit_s=0.001)
    assert found.judged.pairs == 1
    assert found.outcome == "inconclusive"


def test_the_time_limit_covers_what_comes_before_the_pairs(no_torch, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ForkServer", lambda *_, **__: fakes.Server(target="tests.bench.made_up:slow"))
    began = time.perf_counter()
    paired = ab(_setup(), _setup(), out=tmp_path / "runs", target=1e-9, budget_s=8, time_limit_s=1)
    assert time.perf_counter() - began < 5
    for name in "ab":
        (file,) = load(tmp_path / "runs" / f"{paired.pair}-{name}.jsonl").files
        assert (file.run.peaks, file.statics) == ((), ())
        assert [record.stop for record in file.records] == ["time-limit"]


def test_an_arm_cannot_be_resumed(no_torch, tmp_path):
    found = ab(_setup(), _setup(), out=tmp_path, budget_s=0.05)
    with pytest.raises(InputError, match="an arm of an A/B comparison"):
        runner.resume(tmp_path / f"{found.pair}-a.jsonl")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"a": ArmSetup(axes={"model": "resnet99"})}, "arm a: unknown model 'resnet99'"),
        ({"b": ArmSetup(axes={})}, "arm b: no model to measure"),
        ({"b": ArmSetup(axes=AXES, python=pathlib.Path("/nowhere/python"))}, "arm b: cannot run /nowhere/python"),
        ({"margin": 1.0}, "margin 1 is not between"),
        ({"margin": 0.0}, "margin 0 is not between"),
        ({"budget_s": -1.0}, "budget_s"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_measured(no_torch, tmp_path, arguments, error):
    usual = {"a": _setup(), "b": _setup(), "out": tmp_path / "runs"}
    with pytest.raises(InputError, match=error):
        ab(**{**usual, **arguments})
    assert not (tmp_path / "runs").exists()


# What an arm's interpreter must have, as the README says: these, and what they need themselves.
NEEDED = ("torch", "torchvision", "numpy", "psutil", "msgspec")
TORCHS_OWN = ("torchgen", "functorch", "nvidia", "triton", "sympy", "mpmath", "networkx", "jinja2", "markupsafe")
TORCHS_FILES = ("fsspec", "filelock", "typing_extensions.py", "PIL", "numpy.libs", "pillow.libs")


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory):
    """An interpreter that has what an arm needs and nothing else."""
    folder = tmp_path_factory.mktemp("interpreter")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    theirs = pathlib.Path(subprocess.run(asked, capture_output=True, check=True, text=True).stdout.strip())
    for name in (*NEEDED, *TORCHS_OWN, *TORCHS_FILES):
        ours = pathlib.Path(sysconfig.get_path("purelib"), name)
        if ours.exists():
            (theirs / name).symlink_to(ours)
    return python


def test_an_arm_needs_little_in_its_environment(bare_python):
    found = ab(
        ArmSetup(axes={**AXES, "image_size": 32}, python=bare_python),
        ArmSetup(axes={**AXES, "image_size": 32, "task": "training"}, python=bare_python),
        out=None,
        budget_s=0.05,
        time_limit_s=0.001,
    )
    assert found.judged.pairs == 1
    assert not any("arm" in reason for reason in found.reasons), found.reasons


def test_an_interpreter_that_lacks_something_says_what(tmp_path):
    venv.create(tmp_path / "empty", with_pip=False, symlinks=True)
    python = tmp_path / "empty" / "bin" / "python"
    with pytest.raises(InputError, match=r"arm b: .*lacks the packages torch, torchvision, numpy, psutil, msgspec"):
        ab(_setup(), ArmSetup(axes=AXES, python=python), out=None)


def test_what_lies_beside_our_packages_is_not_lent_to_another_interpreter(tmp_path, bare_python, monkeypatch):
    root = pathlib.Path(module.__file__).parents[2]
    for room in ("bench", "results", "resnet", "tests"):  # as in the site-packages that a wheel was installed into
        (tmp_path / room).symlink_to(root / room)
    (tmp_path / "fvcore").mkdir()
    (tmp_path / "fvcore" / "__init__.py").write_text("raise SystemExit('another interpreter's')")
    monkeypatch.setattr("bench.process.forkserver.ROOMS_FOLDER", tmp_path)
    with ForkServer(bare_python) as server:
        worker = server.spawn()
        answer = worker.request({"do": "static", "model": "resnet18", "image_size": 64}, timeout_s=60)
        worker.close()
    assert "No module named 'fvcore'" in answer["cause"]


def test_this_project_is_a_checkout_and_another_folder_is_none(tmp_path, monkeypatch):
    servers = []
    monkeypatch.setattr(module, "ForkServer", lambda python, checkout: servers.append(checkout))
    root = pathlib.Path(module.__file__).parents[2]
    module._server(ArmSetup(axes=AXES, checkout=root), "a")
    assert servers == [root]
    (tmp_path / "bench").mkdir()
    with pytest.raises(InputError, match="is no checkout"):
        module._server(ArmSetup(axes=AXES, checkout=tmp_path), "a")


def test_a_checkout_comes_before_what_the_interpreter_has(tmp_path):
    root = pathlib.Path(module.__file__).parents[2]
    for room in ("bench", "results", "resnet"):
        (tmp_path / room).symlink_to(root / room)
    with ForkServer(checkout=tmp_path) as server:
        worker = server.spawn("tests.bench.faulty:where")
        assert worker.request({}, timeout_s=60)["bench"] == str(tmp_path / "bench")
        worker.close()
