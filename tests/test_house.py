"""The house rules that no linter knows: sizes, names, the wall, and tests that mirror modules."""

import ast
import collections
import itertools
import pathlib
import re
import subprocess
import sys

import pytest

from tests.conftest import GPU_MARK

ROOT = pathlib.Path(__file__).parents[1]
ROOMS = ("bench", "resnet", "results", "reports")
MODULES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
WORKER = (
    *("worker", "validate", "costs", "loading", "memory_model", "peaks", "probing", "profiling"),
    *("tasks", "runtimes", "quantization", "measure"),
)
"""Folders of `bench` below the wall."""
LINES_OF_FILE = 300
LINES_OF_FUNCTION = 50
FILES_OF_FOLDER = 12
"""About eight are meant; more than this is a flat list."""
BANNED = {"found", "one", "ones", "told", "place", "places", "beside", "barred", "worth", "evens", "kept"}
"""Names without a noun of the field."""
SHARED = {
    "CHAPTER": "each chapter has one; the registry reads them by this name",
    "FORMAT": "each importer has one; the registry reads them by this name",
    "RUNTIME": "each engine has one; the registry reads them by this name",
    "read": "each importer has one; the registry reads them by this name",
}
"""Public names that several modules of a room may have, and why."""

each_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def public_names(path):
    """Return the public functions, classes and constants that a module defines."""
    for node in parsed(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.AnnAssign | ast.Assign) and "TypeVar(" not in ast.unparse(node):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        else:
            continue
        yield from (name for name in names if not name.startswith("_"))


def behaves(path):
    """Return whether a module has a public function, or a public class with a method that is no property."""
    for node in parsed(path).body:
        if getattr(node, "name", "_").startswith("_"):
            continue
        if isinstance(node, ast.FunctionDef):
            return True
        methods = [part for part in getattr(node, "body", []) if isinstance(part, ast.FunctionDef)]
        if any(not method.decorator_list for method in methods if not method.name.startswith("_")):
            return True
    return False


def bound_names(tree):
    """Return the names that a module binds, with their lines: variables, parameters, functions, loops."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node.lineno


@each_module
def test_a_file_is_short(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LINES_OF_FILE


@each_module
def test_functions_are_short(path):
    functions = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    sizes = {node.name: node.end_lineno - node.lineno + 1 for node in functions}
    assert {name: size for name, size in sizes.items() if size > LINES_OF_FUNCTION} == {}


@each_module
def test_names_are_nouns_of_the_field(path):
    banned = {f"{name}, line {line}" for name, line in bound_names(parsed(path)) if name.strip("_") in BANNED}
    assert sorted(banned) == []


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_are_unique_in_a_room(room):
    modules = collections.defaultdict(list)
    for path in sorted((ROOT / room).rglob("*.py")):
        for name in set(public_names(path)) - {"__all__"}:
            modules[name].append(str(path.relative_to(ROOT)))
    facade = f"{room}/__init__.py"  # its functions forward to those of the same name
    several = {name: paths for name, paths in modules.items() if len(set(paths) - {facade}) > 1 and name not in SHARED}
    assert several == {}


@pytest.mark.parametrize("room", ROOMS)
def test_a_folder_is_no_flat_list(room):
    counts = collections.Counter(path.parent for path in MODULES if path.is_relative_to(ROOT / room))
    crowded = {str(folder.relative_to(ROOT)): count for folder, count in counts.items() if count > FILES_OF_FOLDER}
    assert crowded == {}


LENT = {"fvcore", "safetensors"}
"""Packages that the interpreter of an A/B arm may lack: what does not need them must work without."""


@pytest.mark.parametrize("folder", WORKER)
def test_below_the_wall_imports_stand_at_the_top(folder):
    nested = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "bench" / folder).rglob("*.py"))
        for function in ast.walk(parsed(path))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom) and ast.unparse(node).split()[1].partition(".")[0] not in LENT
    ]
    assert nested == []


def test_torch_is_imported_below_the_wall_only():
    above = [path for path in MODULES if not {"resnet", *WORKER} & set(path.relative_to(ROOT).parts)]
    importing = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in above
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.match(r"(?:import|from) torch", line)
    ]
    assert importing == []


def test_tests_mirror_modules():
    """A module with a public function, or a class with methods, has its test file in the same folder of tests."""
    missing = []
    for path in MODULES:
        if path.name == "__init__.py" or not behaves(path):
            continue
        folder = ROOT / "tests" / path.relative_to(ROOT).parent
        # A chapter in a folder is tested as a whole by the test of the folder's name.
        candidates = [folder / f"test_{path.stem}.py"]
        candidates += [folder / f"test_{path.parent.name}.py"] if path.stem == "chapter" else []
        if not any(candidate.exists() for candidate in candidates):
            missing.append(str(path.relative_to(ROOT)))
    assert missing == []


def test_every_test_file_stands_where_its_module_does():
    """A test file in the folder of a room is about a module of that folder, or about the folder or room as a whole."""
    strays = []
    for room in ROOMS:
        for path in sorted((ROOT / "tests" / room).rglob("test_*.py")):
            folder = path.relative_to(ROOT / "tests").parent
            if not (ROOT / folder).is_dir():
                strays.append(str(path.relative_to(ROOT)))
    assert [stray for stray in strays if not stray.startswith("tests/reports/browser/")] == []


ABSENT = ("jsonschema", "kaleido", "playwright", "plotly", "prometheus_client", "pypdf", "timm", "yaml")
"""Packages that a bare machine with a GPU may lack: only other tests need them."""


def test_on_a_bare_machine_the_tests_of_a_gpu_are_collected_and_no_others():
    lines = [f"sys.modules[{name!r}] = None" for name in ABSENT]
    arguments = ["-m", "gpu", "--collect-only", "--quiet", "-p", "no:cacheprovider"]
    script = "\n".join(["import sys", *lines, "import pytest", f"sys.exit(pytest.main({arguments}))"])
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    collected = {line.partition("::")[0] for line in run.stdout.splitlines() if "::" in line}
    files = (ROOT / "tests").rglob("test_*.py")
    marked = {str(file.relative_to(ROOT)) for file in files if re.search(rf"{GPU_MARK}\b", file.read_text())}
    assert collected == marked != set()


def test_exceptions_are_still_needed():
    names = collections.Counter(itertools.chain.from_iterable(set(public_names(path)) for path in MODULES))
    assert [name for name in SHARED if names[name] < 2] == []
