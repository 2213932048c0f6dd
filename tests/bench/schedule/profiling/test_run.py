import msgspec
import pytest

from bench.schedule.profiling import run as runner
from bench.schedule.profiling.explain import ProfileOptions
from bench.schedule.profiling.run import PROFILE_SUITE, run_profiles, trace_path
from bench.schedule.progress import Note
from bench.schedule.run import Interrupted
from bench.suites.suite import custom_suite
from results.errors import InputError
from results.schema.types import Name
from results.schema.validation import validated
from results.storage.reader import load
from tests.bench.fakes import FakeServer, FakeWorker
from tests.bench.runs import Shared
from tests.conftest import _run

SUITE = {"model": ["resnet18"], "task": ["inference", "training"], "threads": [2]}


class Worker(FakeWorker):
    """Describes the machine of the tests."""

    def __init__(self):
        super().__init__({"environment": msgspec.to_builtins(_run().environment)})


@pytest.fixture
def faked(monkeypatch):
    """Let fakes answer; `script` may change what they say."""

    def let(script=lambda verb, case, server: None):
        server = FakeServer(script, Worker)
        monkeypatch.setattr(runner, "ForkServer", lambda: Shared(server))
        return server

    return let


def test_the_file_holds_peaks_profiles_and_memory(faked, tmp_path):
    server, notes = faked(), []
    show = lambda event: notes.append(event) if isinstance(event, Note) else None  # noqa: E731
    file = run_profiles(custom_suite(SUITE), device="cpu", out=tmp_path, show=show)
    assert (file.run.suite, file.run.plan, file.run.settings, file.complete) == (PROFILE_SUITE, (), None, True)
    assert file.problems == file.notes == ()
    assert [len(file.bodies(kind)) for kind in ("peaks", "profile", "memory")] == [1, 2, 2]
    assert not server.alive
    for profile, note in zip(file.bodies("profile"), notes, strict=True):
        assert file.path.with_name(profile.trace).read_bytes() == b"a trace"
        assert profile.trace in note.line


def test_a_failed_case_keeps_the_others(faked, tmp_path):
    refuse = {"failed": "unsupported", "cause": "no"}
    faked(lambda verb, case, server: refuse if verb == "profile" and case.task == "training" else None)
    file = run_profiles(custom_suite(SUITE), device="cpu", out=tmp_path)
    assert [profile.status for profile in file.bodies("profile")] == ["ok", "unsupported"]
    assert len(file.bodies("memory")) == 1
    assert file.complete


def test_an_interrupt_keeps_what_was_measured(faked, tmp_path):
    def interrupt(verb, case, server):
        if verb == "profile" and case.task == "training":
            raise KeyboardInterrupt

    server = faked(interrupt)
    with pytest.raises(Interrupted, match=r"what was measured is kept in .*\.jsonl") as stopped:
        run_profiles(custom_suite(SUITE), device="cpu", out=tmp_path)
    assert len(load(stopped.value.path).files[0].bodies("profile")) == 1
    assert not server.alive


def test_peaks_are_measured_once_for_each_number_of_threads(faked, tmp_path):
    faked()
    suite = custom_suite({**SUITE, "threads": [1, 2]})
    file = run_profiles(suite, device="cpu", out=tmp_path, options=ProfileOptions(traces=False, probe_s=0))
    assert [peaks.threads for peaks in file.bodies("peaks")] == [1, 2]
    assert list(tmp_path.iterdir()) == [file.path]


def test_a_folder_that_cannot_be_made_is_refused(faked, tmp_path):
    faked()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be made|cannot write"):
        run_profiles(custom_suite(SUITE), device="cpu", out=tmp_path / "file")


def test_names_of_traces_are_short_and_differ(tmp_path, make_case):
    case = make_case(model="torchvision:" + "x" * 100)
    paths = [trace_path(tmp_path / "20261127-183000-profile-a1b2c3d4.jsonl", number, case) for number in range(2)]
    assert len({path.name for path in paths}) == 2
    for path in paths:
        assert validated(path.name, Name) == path.name
        assert set(path.name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-")
