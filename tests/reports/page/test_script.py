"""The script of the page, joined from its modules."""

import shutil
import subprocess

import pytest

from reports.page.script import GUARD, MODULES, SCRIPT_FOLDER, script

NODE = shutil.which("node")


def test_every_module_is_joined_exactly_once():
    assert sorted(path.stem for path in SCRIPT_FOLDER.iterdir()) == sorted([GUARD, *MODULES])
    joined = script()
    for path in SCRIPT_FOLDER.iterdir():
        assert joined.count(path.read_text(encoding="utf-8")) == 1, path.name


def test_modules_stay_small():
    for path in SCRIPT_FOLDER.iterdir():
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 150, path.name
        assert max(map(len, lines)) <= 120, path.name


def test_the_joined_script_is_strict_from_its_first_line():
    assert script().startswith('"use strict";\n')


@pytest.mark.skipif(NODE is None, reason="no Node; the tests in a browser check the script as well")
def test_the_joined_script_is_valid(tmp_path):
    path = tmp_path / "page.js"
    path.write_text(script(), encoding="utf-8")
    subprocess.run([NODE, "--check", path], check=True)
