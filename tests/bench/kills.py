"""Runs that are killed at random moments and resumed, each time looking at what is left.

They are processes, forked from one that has done the imports (this module's main). Their workers are the campaign's.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import msgspec

import bench
from bench.schedule import run as runner
from results.errors import InputError
from results.schema.case import Case
from results.schema.lines.record import Record
from results.storage.reader import load
from tests.bench import campaign

ROOT = pathlib.Path(__file__).parents[2]
PLAN = (("nchw", "fp32"), ("nhwc", "fp32"), ("nhwc", "bf16"))
MODELS = ("cifar_resnet20", "cifar_plain20")
REPLICATES = 2


# ----------------------------------------------------------------------------------------------- the process that dies


def cases():
    """Return the plan."""
    axes = {"batch_size": 1, "image_size": 32, "device": "cpu", "runtime": "eager", "threads": 1}
    return [
        Case(model=model, task=task, layout=layout, precision=precision, **axes)
        for model, task in zip(MODELS, ("inference", "training"), strict=True)
        for layout, precision in PLAN
    ]


def digest(record):
    """Return what tells a record from any other."""
    content = json.dumps(msgspec.to_builtins(record), sort_keys=True).encode()
    return f"{record.case.key} {record.replicate} {hashlib.sha256(content).hexdigest()}"


def acknowledge(event):
    """Write to stdout which records were shown."""
    if isinstance(event, Record):
        os.write(1, f"{digest(event)}\n".encode())


def slow_disk(write=os.write, piece=200, pause_s=2e-4):
    """Let each write take only a piece of what it is given, and some time, as on a slow disk."""

    def slowly(descriptor, data):
        if descriptor > 2:
            time.sleep(pause_s)
        return write(descriptor, data[:piece])

    return slowly


def main():
    """Fork a run for each line on stdin and print its number, or wait for the last one's end and print its status.

    The line holds the run's folder, that of its temporary files and, to go on with it, its file.
    """
    runner.ForkServer = campaign.Server
    os.write = slow_disk()
    pid = 0
    for line in sys.stdin:
        if line == "wait\n":
            answer = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        else:
            answer = pid = os.fork()
            if not pid:
                _run(*json.loads(line))
        print(answer, flush=True)  # noqa: T201


def _run(home, temporary, path):
    """Be one run; its words go to files of its folder."""
    status = 1
    try:
        os.environ[campaign.FOLDER] = home
        tempfile.tempdir = temporary
        for number, name in ((0, os.devnull), (1, "acknowledged"), (2, "said")):
            where = os.open(pathlib.Path(home, name), os.O_RDWR | os.O_CREAT | os.O_APPEND)
            os.dup2(where, number)
            os.close(where)
        if path:
            runner.resume(path, show=acknowledge)
        else:
            out = pathlib.Path(home, "runs")
            bench.run(cases(), out=out, show=acknowledge, **campaign.QUICK | {"replicates": REPLICATES})
        status = 0
    except BaseException:  # noqa: BLE001 - the last words of the process
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


# ------------------------------------------------------------------------------------------------ the one who kills it


def _acknowledged(home):
    """Return the lines with which the runs in `home` told of records."""
    path = home / "acknowledged"
    return path.read_text().splitlines() if path.exists() else []


def _size(folder):
    """Return the bytes in the files of a folder, and how many they are."""
    sizes = []
    with contextlib.suppress(FileNotFoundError):
        sizes = [path.stat().st_size for path in folder.iterdir()]
    return len(sizes), sum(sizes)


class Campaign:
    """Runs that are killed, each resumed until it is complete. A context manager."""

    def __init__(self, folder, seed):
        self.folder = folder
        self.random = random.Random(seed)
        self.kills = 0
        self.early = 0
        """Kills before there was a file."""
        self.torn = 0
        """Kills in the middle of a line."""
        self.started = 0
        self.finished = 0
        """Runs that came to their end, holding each case and replicate once."""
        self.records = 0
        self.planned = len(cases()) * REPLICATES
        self.faults = []
        """What must not be: a line each."""
        self._usual_s = 0.0
        command = [sys.executable, "-m", "tests.bench.kills"]
        self._nursery = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True, bufsize=1
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._nursery.stdin.close()
        self._nursery.wait()
        self._nursery.stdout.close()

    def kill(self, count):
        """Kill so many times, at most four times a run, and let each run come to its end."""
        self._usual_s = self._one_run(kills=0)
        while self.kills < count:
            self._one_run(kills=min(self.random.randint(1, 4), count - self.kills))

    def _one_run(self, kills):
        """See a run through; returns the seconds of its last process."""
        self.started += 1
        home = self.folder / str(self.started)
        campaign.prepare(home)
        while True:
            took_s = self._process(home, kill=kills > 0)
            kills -= 1
            path = self._look(home)
            if path is not None and self._complete(path):
                self.finished += 1
                return took_s
            if kills < 0:
                self.faults.append(f"{home}: its last process did not complete the run")
                return took_s

    def _process(self, home, *, kill):
        """Start a process and kill it at a random moment if asked."""
        temporary = home / f"tmp{len(list(home.iterdir()))}"
        temporary.mkdir()
        path = self._file(home)
        began = time.monotonic()
        pid = self._ask(json.dumps([str(home), str(temporary), str(path) if path else ""]))
        if kill:
            self._wait(home)
            os.kill(pid, signal.SIGKILL)  # its number is its own until it is waited for
            self.kills += 1
        status = self._ask("wait")
        took_s = time.monotonic() - began
        said = (home / "said").read_text() if (home / "said").exists() else ""
        if status not in {0, -signal.SIGKILL} or said:
            self.faults.append(f"{home}: exit status {status}, stderr {said!r}")
        if status == 0 and list(temporary.iterdir()):
            self.faults.append(f"{home}: a process that ended left {[path.name for path in temporary.iterdir()]}")
        until = time.monotonic() + 2
        while (left := campaign.descendants(home)) and time.monotonic() < until:
            time.sleep(0.01)
        if left:
            self.faults.append(f"{home}: left the processes {left}")
        return took_s

    def _ask(self, line):
        self._nursery.stdin.write(f"{line}\n")
        return int(self._nursery.stdout.readline())

    def _wait(self, home):
        """Wait for a random moment of the process's life: any, or one while it writes."""
        if self.random.random() < 0.5:
            time.sleep(self.random.uniform(0, 1.1 * self._usual_s))
            return
        lines = self.random.randint(0, self.planned)
        until = time.monotonic() + 2 * self._usual_s
        before = _size(home / "runs")
        while time.monotonic() < until and (len(_acknowledged(home)) < lines or _size(home / "runs") == before):
            before = before if len(_acknowledged(home)) >= lines else _size(home / "runs")
            time.sleep(1e-4)
        time.sleep(self.random.uniform(0, 0.005))

    def _file(self, home):
        files = list((home / "runs").glob("*.jsonl"))
        if len(files) > 1:
            self.faults.append(f"{home}: {len(files)} run files")
        return files[0] if files else None

    def _look(self, home):
        """Return the run file, having looked that it holds what was acknowledged; None where there is none yet."""
        acknowledged = set(_acknowledged(home))
        path = self._file(home)
        if path is None:
            self.early += 1
            if acknowledged:
                self.faults.append(f"{home}: {len(acknowledged)} records were acknowledged, and there is no file")
            return None
        try:
            loaded = load(path)
        except InputError as error:
            self.faults.append(f"{home}: does not open: {error}")
            return None
        there = {digest(record) for record in loaded}
        if lost := acknowledged - there:
            self.faults.append(f"{path}: lost {len(lost)} acknowledged records")
        again = len(loaded) - len({(record.case, record.replicate) for record in loaded})
        if again > 2 * (len(list(home.glob("tmp*"))) - 1):  # two anchors after each break
            self.faults.append(f"{path}: holds {again} cases again")
        damage = [problem for problem in loaded.problems if "no end line" not in problem and "torn" not in problem]
        if damage:
            self.faults.append(f"{path}: {damage[0]}")
        self.torn += any("torn" in problem for problem in loaded.problems)
        return path

    def _complete(self, path):
        """Say whether the run is complete; if so it must hold each case once."""
        loaded = load(path)
        if not loaded.files[0].complete:
            return False
        self.records += len(loaded)
        wanted = {(case, replicate) for case in cases() for replicate in range(REPLICATES)}
        if {(record.case, record.replicate) for record in loaded} != wanted:
            self.faults.append(f"{path}: is complete, and holds other cases than planned")
        self.faults += [f"{path}: {record.status}: {record.cause}" for record in loaded if record.status != "ok"]
        self.faults += loaded.problems
        return True


if __name__ == "__main__":
    main()
