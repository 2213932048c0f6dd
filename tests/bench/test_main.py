import os
import pathlib
import subprocess
import sys

import pytest

import bench

ROOT = pathlib.Path(bench.__file__).parents[1]
DECOYS = ("results", "reports", "resnet")


def _package(folder, name):
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("raise SystemExit('the folder of a user was imported')\n")


def _module(folder, name):
    (folder / f"{name}.py").write_text("raise SystemExit('the module of a user was imported')\n")


def _plain(folder, name):
    (folder / name).mkdir()
    (folder / name / "measured.csv").write_text("")


def _bench(folder, *arguments):
    command = [sys.executable, "-m", "bench", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(params=[_package, _module, _plain])
def folder(request, tmp_path):
    """A current folder that holds something with the name of every package but `bench`."""
    for name in DECOYS:
        request.param(tmp_path, name)
    return tmp_path


def test_python_m_bench_takes_no_package_from_the_current_folder(folder):
    done = _bench(folder, "list", "metrics")
    assert (done.returncode, done.stderr) == (0, "")
    assert "latency_s" in done.stdout


def test_its_workers_take_none_either(folder):
    done = _bench(folder, "run", "--model", "cifar_resnet20", "--device", "cpu", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cifar_resnet20/inference/")


def test_a_folder_bench_without_an_init_is_not_taken(tmp_path):
    _plain(tmp_path, "bench")
    assert _bench(tmp_path, "list", "metrics").returncode == 0
