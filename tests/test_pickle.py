"""No source runs a pickle: a file of somebody else must never execute code."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
SOURCES = sorted(path for room in ("bench", "resnet", "results", "reports") for path in (ROOT / room).rglob("*.py"))
FORBIDDEN = {"_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


def unpickling(source):
    """Return, a line each, what of a source could run a pickle."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [f"{node.lineno}: import {name.name}" for name in names if name.name in FORBIDDEN]
            case ast.ImportFrom(module=module) if module in FORBIDDEN | {"pickle"}:
                found.append(f"{node.lineno}: from {module}")
            case ast.Attribute(value=ast.Name(id="pickle"), attr=name) if name != "UnpicklingError":
                found.append(f"{node.lineno}: pickle.{name}")
            case ast.Attribute(attr="read_pickle" | "to_pickle"):
                found.append(f"{node.lineno}: .{node.attr}")
            case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr="load"), keywords=keywords):
                if not any(word.arg == "weights_only" and getattr(word.value, "value", 0) is True for word in keywords):
                    found.append(f"{node.lineno}: torch.load without weights_only=True")
            case ast.keyword(arg="allow_pickle", value=value) if getattr(value, "value", 0) is not False:
                found.append(f"{node.lineno}: allow_pickle")
            case ast.keyword(arg="weights_only", value=value) if getattr(value, "value", 0) is not True:
                found.append(f"{node.lineno}: weights_only that is not True")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_can_run_a_pickle(path):
    assert unpickling(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import dill",
        "from pickle import loads",
        "import pickle; pickle.load(file)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=safe)",
        "np.load(path, allow_pickle=True)",
        "hub.get(weights_only=False)",
        "pd.read_pickle(path)",
    ],
)
def test_what_could_run_a_pickle_is_found(source):
    assert len(set(unpickling(source))) >= 1
