import ast
import pathlib

import pytest

import bench
from bench.machine.device_names import device_type, is_cpu

SOURCES = sorted(pathlib.Path(bench.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize(
    ("device", "type_name"), [("cpu", "cpu"), ("cuda:0", "cuda"), ("cuda", "cuda"), ("mps:0", "mps")]
)
def test_the_type_of_a_device_is_in_its_name(device, type_name):
    assert device_type(device) == type_name
    assert is_cpu(device) == (type_name == "cpu")


def test_whether_a_device_is_the_cpu_is_asked_of_its_name_alone():
    asking = [
        f"{path.name}:{node.lineno}"
        for path in SOURCES
        if path.name != "device_names.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        and any(isinstance(part, ast.Constant) and part.value == "cpu" for part in (node.left, *node.comparators))
    ]
    assert asking == []
