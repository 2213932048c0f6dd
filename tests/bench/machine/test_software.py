import os
import subprocess
import tomllib

from bench.machine import software
from bench.machine.software import tool_commit, tool_version, variables
from bench.rooms import ROOMS_FOLDER


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n", encoding="utf-8")


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
        "TORCH_COMPILE_DISABLE": "1",
        "TORCHDYNAMO_SUPPRESS_ERRORS": "1",
        "ATEN_CPU_CAPABILITY": "avx2",
        "CXX": "clang++",
        "CUDA_LAUNCH_BLOCKING": "1",
        "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": "50",
        "CUDA_CACHE_DISABLE": "1",
        "CUDA_FORCE_PTX_JIT": "1",
        "TORCH_USE_CUDA_DSA": "1",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "CUBLASLT_WORKSPACE_SIZE": "1024",
        "PYTORCH_NO_CUDA_MEMORY_CACHING": "1",
        "HSA_OVERRIDE_GFX_VERSION": "11.0.0",
        "MIOPEN_FIND_MODE": "FAST",
        "PYTORCH_MIOPEN_SUGGEST_NHWC": "1",
        "PYTORCH_TUNABLEOP_ENABLED": "1",
        "GPU_MAX_HW_QUEUES": "2",
        "SYCL_CACHE_PERSISTENT": "1",
        "ONEAPI_DEVICE_SELECTOR": "level_zero:0",
        "UR_L0_USE_IMMEDIATE_COMMANDLISTS": "1",
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
    project = tomllib.loads((ROOMS_FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert tool_version() == project["version"]
