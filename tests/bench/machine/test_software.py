import getpass
import os
import platform
import socket
import subprocess
from pathlib import Path

import msgspec
import pytest

from bench.machine import software
from bench.machine.software import (
    cgroup_folders,
    cgroup_limits,
    cpu_flags,
    describe,
    governor,
    parse_cpuinfo,
    parse_sysctl,
    parse_torch_build,
    tool_commit,
    tool_version,
    usable_cores,
    variables,
)
from results.schema.run import Environment

SAPPHIRE_RAPIDS = """\
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz
flags\t\t: fpu vme sse2 avx avx2 avx512f avx512_bf16 avx512_vnni amx_bf16 avx512_fp16 amx_tile amx_int8
bugs\t\t: spectre_v1

processor\t: 1
model name\t: another
flags\t\t: fpu
"""
GRAVITON3 = """\
processor\t: 0
BogoMIPS\t: 2100.00
Features\t: fp asimd fphp asimdhp asimddp sve i8mm bf16
CPU implementer\t: 0x41
CPU part\t: 0xd40
"""
BUILD = """\
PyTorch built with:
  - GCC 13.3
  - C++ Version: 202002
  - Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build 20240605 for Intel(R) 64 architecture applications
  - Intel(R) MKL-DNN v3.12.0 (Git Hash 80afa71049cd69a3df32adcccb623b12cd7baa22)
  - OpenMP 201511 (a.k.a. OpenMP 4.5)
  - Build settings: BLAS_INFO=mkl, BUILD_TYPE=Release, USE_MKLDNN=ON,
"""


def test_an_x86_processor_is_known_by_its_first_core():
    name, flags = parse_cpuinfo(SAPPHIRE_RAPIDS)
    assert name == "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz"
    assert flags == (
        "avx2", "avx512f", "avx512_bf16", "avx512_fp16", "avx512_vnni", "amx_tile", "amx_bf16", "amx_int8",
    )  # fmt: skip


def test_an_arm_processor_is_known_by_its_numbers():
    name, flags = parse_cpuinfo(GRAVITON3)
    assert name == "Arm implementer 0x41 part 0xd40"
    assert flags == ("asimd", "fphp", "asimdhp", "asimddp", "bf16", "i8mm", "sve")


def test_no_cpuinfo_is_no_name_and_no_flags():
    assert parse_cpuinfo("") == (None, ())


def test_an_apple_processor_is_known_from_sysctl():
    known = {"machdep.cpu.brand_string": "Apple M3", "hw.optional.arm.FEAT_BF16": "1", "hw.optional.arm.FEAT_I8MM": "0"}
    assert parse_sysctl(known.get) == ("Apple M3", ("bf16",))


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n", encoding="utf-8")


def test_version_2_limits_are_the_least_of_all_levels(tmp_path):
    write(tmp_path / "user" / "job", cpu__max="400000 100000", memory__max="max")
    write(tmp_path / "user", cpu__max="150000 100000", memory__max="8589934592")
    assert cgroup_limits(cgroup_folders("0::/user/job\n", tmp_path)) == (1.5, 8 * 2**30)


def test_version_2_without_limits_is_none(tmp_path):
    write(tmp_path, cpu__max="max 100000", memory__max="max")
    assert cgroup_limits(cgroup_folders("0::/\n", tmp_path)) == (None, None)


def test_version_1_limits_are_found_beside_an_empty_version_2(tmp_path):
    cpu = {"cpu__cfs_quota_us": "250000", "cpu__cfs_period_us": "100000"}
    write(tmp_path / "cpu,cpuacct", **cpu)
    write(tmp_path / "memory" / "a", memory__limit_in_bytes="1073741824")
    write(tmp_path / "memory", memory__limit_in_bytes="9223372036854771712")
    membership = "4:memory:/a\n3:cpu,cpuacct:/docker/0123\n1:name=systemd:/\n0::/\n"
    assert cgroup_limits(cgroup_folders(membership, tmp_path)) == (2.5, 2**30)


def test_version_1_minus_one_is_no_limit(tmp_path):
    write(tmp_path / "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert cgroup_limits(cgroup_folders("1:cpu:/\n", tmp_path)) == (None, None)


def test_a_path_that_leads_outside_finds_the_top(tmp_path):
    write(tmp_path, memory__max="4096", cpu__max="50000 100000")
    assert cgroup_limits(cgroup_folders("0::/../../elsewhere\n", tmp_path)) == (0.5, 4096)


@pytest.mark.parametrize(
    ("granted", "usable"), [(None, 6), ("400000 100000", 4), ("150000 100000", 1), ("50000 100000", 1), ("max 1", 6)]
)
def test_usable_cores_are_allowed_and_paid_for(tmp_path, monkeypatch, granted, usable):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.setattr(software, "cgroup_folders", lambda: [tmp_path])
    if granted is not None:
        write(tmp_path, cpu__max=granted)
    assert usable_cores() == usable


def test_governors_of_all_cores_are_named(tmp_path):
    for core, name in enumerate(["powersave", "performance", "powersave"]):
        write(tmp_path / f"cpu{core}" / "cpufreq", scaling_governor=name)
    assert governor(tmp_path) == "performance,powersave"
    assert governor(tmp_path / "nowhere") is None


def test_variables_that_change_speed_are_kept_and_no_others():
    chosen = {
        "OMP_NUM_THREADS": "4",
        "KMP_BLOCKTIME": "1",
        "GOMP_SPINCOUNT": "0",
        "MALLOC_ARENA_MAX": "2",
        "PYTORCH_ALLOC_CONF": "expandable_segments:True",
        "CUDA_VISIBLE_DEVICES": "0,1",
        "NVIDIA_TF32_OVERRIDE": "0",
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "DNNL_VERBOSE": "0",
    }
    others = {"USER": "ada", "HOME": "/home/ada", "AWS_SECRET_ACCESS_KEY": "x", "CUDA_HOME": "/opt", "PATH": "/bin"}
    assert variables({**others, **chosen}) == chosen


def test_variables_name_no_folder():
    found = variables(
        {
            "LD_PRELOAD": "/home/ada/lib/libjemalloc.so.2:/usr/lib/libomp.so",
            "TORCHINDUCTOR_CACHE_DIR": "/home/ada/cache",
            "OMP_TOOL_LIBRARIES": "~ada/tool.so",
        }
    )
    assert found == {
        "LD_PRELOAD": "libjemalloc.so.2 libomp.so",
        "OMP_TOOL_LIBRARIES": "(a path)",
        "TORCHINDUCTOR_CACHE_DIR": "(a path)",
    }


def test_what_torch_was_built_with_is_read_from_its_text():
    assert parse_torch_build(BUILD) == {
        "mkl": "2024.2-Product Build 20240605",
        "onednn": "v3.12.0",
        "openmp": "201511 (a.k.a. OpenMP 4.5)",
        "compiler": "GCC 13.3",
        "blas": "mkl",
    }
    assert parse_torch_build("") == {}


def git(folder, *arguments):
    identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments],  # noqa: S607
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
    )
    return done.stdout.strip()


NO_CHECKOUT = (None, "the tool does not run from a git checkout of its own")


def test_commit_is_that_of_a_checkout_of_its_own(tmp_path):
    assert tool_commit(tmp_path) == NO_CHECKOUT
    git(tmp_path, "init", "-q")
    write(tmp_path, pyproject__toml="")
    assert tool_commit(tmp_path) == (None, "git cannot read the checkout (exit code 128)")  # no commit yet
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    git(tmp_path, "tag", "-am", "a tag is not a commit", "v1")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert tool_commit(tmp_path) == (commit, "")
    write(tmp_path, pyproject__toml="# changed")
    assert tool_commit(tmp_path) == (f"{commit}-dirty", "")


def test_commit_is_not_that_of_a_checkout_that_the_variables_point_at(tmp_path, monkeypatch):
    commits = []
    for name in ("own", "other"):
        write(tmp_path / name, pyproject__toml=f"# {name}")
        git(tmp_path / name, "init", "-q")
        git(tmp_path / name, "add", "-A")
        git(tmp_path / name, "commit", "-qm", name)
        commits.append(git(tmp_path / name, "rev-parse", "HEAD"))
    for variable, path in {"GIT_DIR": ".git", "GIT_WORK_TREE": "", "GIT_INDEX_FILE": ".git/index"}.items():
        monkeypatch.setenv(variable, str(tmp_path / "other" / path))
    assert commits[0] != commits[1]
    assert tool_commit(tmp_path / "own") == (commits[0], "")


def test_a_package_inside_someone_elses_checkout_has_no_commit(tmp_path):
    inside = tmp_path / "site-packages"
    write(inside, pyproject__toml="")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    assert tool_commit(inside) == NO_CHECKOUT


def test_commit_is_none_without_git(tmp_path, monkeypatch):
    git(tmp_path, "init", "-q")
    write(tmp_path, pyproject__toml="")
    monkeypatch.setattr(software.shutil, "which", lambda _: None)
    assert tool_commit(tmp_path) == (None, "git is not installed")


def test_version_is_the_checkouts_where_the_tool_is_not_installed(monkeypatch):
    monkeypatch.setattr(software, "_version", lambda _: None)
    assert tool_version().count(".") == 2


@pytest.fixture(scope="module")
def here():
    return describe()


def test_this_machine_is_described(here):
    import psutil  # noqa: PLC0415
    import torch  # noqa: PLC0415

    assert isinstance(here, Environment)
    assert 1 <= here.usable_cores <= here.logical_cores == os.cpu_count()
    assert here.memory_bytes == psutil.virtual_memory().total
    assert here.torch == torch.__version__
    assert here.torch_threads == torch.get_num_threads()
    assert here.torch_build["git"] == torch.version.git_version
    assert here.python == f"CPython {platform.python_version()}"
    assert here.cpu_flags == cpu_flags()
    assert len(here.accelerators) == torch.accelerator.device_count()


def test_every_missing_value_has_its_reason(here):
    missing = {name for name in here.__struct_fields__ if getattr(here, name) is None}
    assert missing <= set(here.nulls)
    assert all(here.nulls.values())
    present = {*here.__struct_fields__} - missing - {"accelerators"}
    assert not present & set(here.nulls)


def test_nobody_is_named(monkeypatch):
    host, user = "qx-odd-host-73", "zv_odd_user_41"
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    machine = platform.uname()
    monkeypatch.setattr(platform, "uname", lambda: machine._replace(node=host))
    home = f"/home/{user}"
    for name, value in {
        "HOSTNAME": host,
        "USER": user,
        "LOGNAME": user,
        "HOME": home,
        "PWD": f"{home}/{host}",
        "OMP_NUM_THREADS": "1",
        "TORCHINDUCTOR_CACHE_DIR": f"{home}/{host}",
        "MALLOC_CONF_FILE": f"~{user}",
        "LD_PRELOAD": f"{home}/libnone.so",
    }.items():
        monkeypatch.setenv(name, value)
    assert (getpass.getuser(), socket.gethostname(), platform.node()) == (user, host, host)
    monkeypatch.setattr(software, "_ROOT", Path(home) / host)
    text = repr(msgspec.to_builtins(describe()))
    assert "OMP_NUM_THREADS" in text
    assert "libnone.so" in text
    for private in (host, user, "/home"):
        assert private not in text
