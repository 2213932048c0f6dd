import contextlib
import itertools
import shutil
import subprocess
import time

import pytest
from msgspec import structs

import bench
from bench.cli import main
from bench.machine import memory
from bench.schedule import run as runner
from results.errors import InputError
from results.schema.case import Case
from results.storage.reader import load
from tests.bench import campaign, kills

TIMEOUT_S = 2.0

# What a worker does, to which question, and what the record of its case must say. To a footprint it is the baseline.
MISFORTUNES = [
    ("killed", "prepare", "crash", "killed by SIGKILL"),
    ("killed", "footprint", "crash", "killed by SIGKILL"),
    ("killed", "turn", "crash", "killed by SIGKILL"),
    ("killed", "finish", "crash", "killed by SIGKILL"),
    ("segfault", "prepare", "crash", "killed by SIGSEGV"),
    ("segfault", "turn", "crash", "killed by SIGSEGV"),
    ("hang", "turn", "timeout", "no answer within 2 s"),
    ("hang", "finish", "timeout", "no answer within 2 s"),
    ("exit 0", "prepare", "crash", "exited with status 0 and no answer; its last words: so long"),
    ("exit 0", "turn", "crash", "exited with status 0 and no answer; its last words: so long"),
    ("close", "turn", "crash", ""),
    ("another's", "turn", "error", "answered for another case"),
    ("another's", "finish", "error", "answered for another case"),
    ("no json", "footprint", "crash", "no answer"),
    ("no json", "turn", "crash", "no answer"),
    ("no object", "turn", "crash", "no answer"),
    ("dribble", "turn", "timeout", "no answer within 2 s"),
    ("endless line", "turn", "crash", "no answer"),
    ("too deep", "turn", "crash", "no answer"),
    ("signal 40", "turn", "crash", "killed by signal 40"),
    ("huge number", "turn", "crash", "no answer"),
    ("nothing", "prepare", "error", "answered for another case, or for none"),
    ("nothing", "footprint", "error", "answered for another case, or for none"),
    ("nothing", "turn", "error", "answered for another case, or for none"),
    ("nothing", "finish", "error", "answered for another case, or for none"),
    ("nan", "prepare", "error", "should be a number"),
    ("nan", "turn", "error", "should be a number"),
    ("nan", "finish", "error", "peak_resident_bytes"),
    ("infinite", "prepare", "error", "should be a number"),
    ("infinite", "turn", "error", "should be a number"),
    ("zero", "footprint", "error", "host_bytes"),
    ("zero", "turn", "error", "should be a number >="),
    ("negative", "prepare", "error", "should be a number >= 0"),
    ("negative", "turn", "error", "should be a number >="),
    ("negative", "finish", "error", "peak_resident_bytes"),
    ("text", "prepare", "error", "should be a number"),
    ("text", "footprint", "error", "host_bytes: should be a whole number"),
    ("text", "turn", "error", "should be a number"),
    ("null", "turn", "error", "should be a number"),
    ("boolean", "turn", "error", "should be a number"),
    ("other shape", "prepare", "error", "notes"),
    ("other shape", "turn", "error", "answered others"),
    ("other shape", "finish", "error", "facts"),
    ("no rows", "prepare", "error", "phases"),
    ("no rows", "turn", "error", "answered others"),
    ("flat rows", "turn", "error", "phase_s"),
    ("flat rows", "finish", "error", "nulls"),
    ("strange status", "turn", "error", "failed"),
    ("no cause", "finish", "error", "cause"),
    ("long notes", "prepare", "error", "notes"),
    ("long notes", "finish", "error", "length <= 4096"),
    ("prints", "prepare", "ok", None),
    ("prints", "turn", "ok", None),
]


def pair(batch_size):
    """A baseline and a case beside it; the batch size says which misfortune is theirs."""
    base = Case(
        model="cifar_resnet20",
        task="inference",
        batch_size=batch_size,
        image_size=32,
        device="cpu",
        precision="fp32",
        runtime="eager",
        layout="nchw",
        threads=1,
    )
    return base, structs.replace(base, layout="nhwc")


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    """Start the server of a campaign whose workers have these faults; gives it and its folder."""

    @contextlib.contextmanager
    def serving(faults):
        folder = tmp_path_factory.mktemp("campaign")
        campaign.prepare(folder, faults=faults)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(campaign.FOLDER, str(folder))
            with campaign.Server() as server:
                patch.setattr(runner, "ForkServer", lambda: contextlib.nullcontext(server))
                yield server, folder
        assert not campaign.descendants(folder)

    return serving


@pytest.fixture(scope="module")
def unlucky(serving):
    """One run in which every misfortune happens: its records by misfortune, that of the unlucky worker first."""
    questions = {number: on for number, (_, on, *_) in enumerate(MISFORTUNES, 1)}
    layouts = {number: "nchw" if on == "footprint" else "nhwc" for number, on in questions.items()}
    faults = {f"{number} {layouts[number]} {on}": fault for number, (fault, on, *_) in enumerate(MISFORTUNES, 1)}
    with serving(faults) as (server, folder):
        plan = [case for number in questions for case in pair(number)]
        records = bench.run(plan, out=folder / "runs", **campaign.QUICK | {"timeout_s": TIMEOUT_S})
        left = [process.pid for process in campaign.descendants(folder)]
    assert left == [server.pid], "workers, or what they started, live on"
    assert records.problems == ()
    assert records.files[0].complete
    by_case = {record.case: record for record in records}
    assert len(by_case) == len(records) == len(plan)
    return {
        misfortune: sorted((by_case[case] for case in pair(number)), key=lambda r: r.case.layout != layouts[number])
        for number, misfortune in enumerate(MISFORTUNES, 1)
    }


@pytest.mark.parametrize("misfortune", MISFORTUNES, ids=lambda misfortune: " ".join(misfortune[:2]))
def test_a_worker_that_misbehaves_costs_its_own_record_and_says_why(unlucky, misfortune):
    record, other = unlucky[misfortune]
    _, on, status, cause = misfortune
    assert record.status == status
    assert (record.cause is None) == (status == "ok")
    if cause is not None:
        assert cause in record.cause
        assert "\n" not in record.cause
    assert other.status == "ok"
    assert (record.samples is not None) == (on == "finish" or status == "ok")  # what was measured before is kept


def test_a_hang_ends_soon_after_the_time_out(unlucky):
    hung = [record for (fault, *_), (record, _) in unlucky.items() if fault in {"hang", "dribble"}]
    assert hung
    assert max(record.duration_s for record in hung) < len(hung) * (TIMEOUT_S + 5)  # they wait for one another


def test_a_worker_that_the_kernel_kills_for_memory_is_told_from_a_crash(serving, tmp_path, monkeypatch):
    counter = itertools.count()
    monkeypatch.setattr(memory, "kernel_oom_kills", lambda: next(counter))
    with serving({"1 nhwc turn": "killed"}):
        records = bench.run(pair(1), out=tmp_path, **campaign.QUICK)
    assert {record.case.layout: record.status for record in records} == {"nchw": "ok", "nhwc": "out-of-memory"}
    assert records.files[0].complete


def test_a_model_that_cannot_be_counted_is_measured(serving, tmp_path):
    with serving({"None None static": "segfault"}):
        records = bench.run(pair(1), out=tmp_path, **campaign.QUICK)
    assert [record.status for record in records] == ["ok", "ok"]
    assert all("could not be counted: killed by SIGSEGV" in record.notes[-1] for record in records)


def test_counting_and_peak_rates_leave_a_short_run_time_to_measure(serving, tmp_path):
    models = [structs.replace(case, model=model) for model in ("resnet18", "resnet34") for case in pair(1)]
    with serving({"None None static": "hang", "None None peak": "hang"}):
        began = time.perf_counter()
        records = bench.run(models, out=tmp_path, **campaign.QUICK | {"time_limit_s": 10})
        took = time.perf_counter() - began
    assert [record.status for record in records] == ["ok"] * 4
    assert not any("could not be counted" in note for record in records for note in record.notes)
    assert took < 20


@pytest.mark.parametrize("fault", ["killed", "nan", "infinite", "text", "boolean", "no object"])
def test_what_is_asked_before_a_run_may_come_to_nothing(serving, tmp_path, fault):
    with serving({"None None static": fault, "None None peak": fault}):
        records = bench.run(pair(1), out=tmp_path / "runs", **campaign.QUICK)
    assert [record.status for record in records] == ["ok", "ok"]
    assert all("could not be counted: " in record.notes[-1] for record in records)
    assert records.files[0].run.peaks == ()
    with serving({"None None describe": fault}), pytest.raises(InputError, match="this machine cannot be measured"):
        bench.run(pair(1), out=tmp_path / "none", **campaign.QUICK)
    assert not (tmp_path / "none").exists()


def test_a_run_that_is_killed_at_any_moment_loses_nothing_and_goes_on(tmp_path):
    with kills.Campaign(tmp_path, seed=0) as runs:
        runs.kill(15)
    assert runs.faults == []
    assert runs.kills == 15
    assert runs.finished >= 4


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB; gives its folder, and how to make room on it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if not mount or not umount:
        pytest.skip("there is no mount here")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.decode().strip()}")
    yield folder, lambda size: subprocess.run([mount, "-o", f"remount,size={size}", folder], check=True)
    subprocess.run([umount, folder], check=True)


def errors(text):
    assert "Traceback" not in text
    return [line for line in text.splitlines() if line.startswith("error: ")]


def test_a_disk_that_fills_is_one_line_and_the_run_goes_on_where_there_is_room(serving, small_disk, capsys):
    folder, make_room = small_disk
    axes = ["--model", "cifar_resnet20", "--layout", "nchw,nhwc", "--precision", "fp32,bf16", "--device", "cpu"]
    sampling = ["--replicates", "9", "--target", "50%", "--budget", "0.02"]
    with serving({}):
        assert main(["run", *axes, *sampling, "--out", str(folder)]) == 2
        said = capsys.readouterr().err
        (path,) = folder.iterdir()
        remedy = "what was measured before is kept, make room and go on with --resume"
        assert errors(said) == [f"error: cannot write {path}: No space left on device; {remedy}"]
        assert said.splitlines()[-1] == errors(said)[0]
        acknowledged = sum(line.startswith("[") for line in said.splitlines())
        kept = list(load(path))
        assert 0 < len(kept) == acknowledged < 36

        make_room("1m")  # enough for the run, and not for the page
        assert main(["run", "--resume", str(path)]) == 2
        out, said = capsys.readouterr()
        page = path.with_suffix(".html")
        assert errors(said) == [
            f"error: cannot write '{page}': No space left on device; choose another path for the page"
        ]
        assert f"run file: {path}" in out
    assert list(folder.iterdir()) == [path]
    records = load(path)
    assert list(records)[: len(kept)] == kept
    assert len({(record.case, record.replicate) for record in records}) == 36
    assert len(records) <= 38  # two cases were measured again, to join the others
    assert records.files[0].complete
    assert records.problems == ()


def test_a_disk_that_is_full_from_the_start_is_one_line_and_leaves_nothing(serving, small_disk, capsys):
    folder, _ = small_disk
    with pytest.raises(OSError, match="No space left"), (folder / "filler").open("wb") as filler:
        filler.write(bytes(1 << 20))
    with serving({}):
        assert main(["run", "--model", "cifar_resnet20", "--device", "cpu", "--out", str(folder)]) == 2
    assert errors(capsys.readouterr().err)[0].endswith("No space left on device; choose another folder with --out")
    assert [path.name for path in folder.iterdir()] == ["filler"]
