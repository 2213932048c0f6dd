"""The script of the page, joined from its modules."""

import re
import shutil
import subprocess

import pytest

from reports.page.script import GUARD, MODULES, SCRIPT_FOLDER, guard, script

NODE = shutil.which("node")


def test_every_module_is_joined_exactly_once():
    assert sorted(path.stem for path in SCRIPT_FOLDER.iterdir()) == sorted([GUARD, *MODULES])
    joined = guard() + script()
    for path in SCRIPT_FOLDER.iterdir():
        assert joined.count(path.read_text(encoding="utf-8")) == 1, path.name


def test_modules_stay_small():
    for path in SCRIPT_FOLDER.iterdir():
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 150, path.name
        assert max(map(len, lines)) <= 120, path.name


def test_both_scripts_are_strict_from_their_first_line():
    assert guard().startswith('"use strict";\n')
    assert script().startswith('"use strict";\n')


def test_the_guard_has_only_syntax_of_old_browsers():
    lines = [line for line in guard().splitlines() if not line.lstrip().startswith("//")]
    assert not re.search(r"=>|`|\?\.|\?\?|\.\.\.|\b(let|const|class|async|await)\b", "\n".join(lines))


@pytest.mark.skipif(NODE is None, reason="no Node; the tests in a browser check the script as well")
@pytest.mark.parametrize("make", [guard, script])
def test_both_scripts_are_valid(make, tmp_path):
    path = tmp_path / "page.js"
    path.write_text(make(), encoding="utf-8")
    subprocess.run([NODE, "--check", path], check=True)
