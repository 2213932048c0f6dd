"""Follow the recipes of docs/architecture.md with throw-away things: all know them, and a forgotten part is named."""

import re

import pytest

from tests.registries.recipes import RECIPES
from tests.registries.tree import DECLARATIONS, ROOT, grown, run_tests

NAMES = {
    "axis": "checkpointing",
    "metric": "heat_k|KeyError: 'K'",
    "runtime": "scripted",
    "kind": "[Cc]urve",
    "chapter": "start",
    "format": "lines",
}
"""What the report of a forgotten part must name."""
FORGOTTEN = [(name, path) for name, recipe in RECIPES.items() for path in recipe.edits]


@pytest.mark.parametrize("name", RECIPES)
def test_who_follows_the_recipe_is_done(name, tmp_path):
    recipe = RECIPES[name]
    done = run_tests(grown(tmp_path, recipe), DECLARATIONS, f"tests/registries/checks/{recipe.checks}")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "path"), FORGOTTEN)
def test_a_forgotten_part_is_named(name, path, tmp_path):
    recipe = RECIPES[name]
    folder = grown(tmp_path, recipe, without=path)
    concerned = ["-k", recipe.declared] if recipe.declared else [f"tests/registries/checks/{recipe.checks}"]
    done = run_tests(folder, DECLARATIONS, *concerned)
    assert done.returncode != 0
    assert re.search(NAMES[name], done.stdout + done.stderr), done.stdout + done.stderr


@pytest.mark.parametrize("name", RECIPES)
def test_the_document_names_every_file_of_the_recipe(name):
    document = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^### An? [\w ]*{name}\n(.+?)(?=\n#|\Z)", document, re.DOTALL | re.MULTILINE)
    patterns = [re.sub(r"<\w+>", r"\\w+", path) for path in re.findall(r"`([\w/<>]+\.py)`", section)]
    missing = [path for path in RECIPES[name].edits if not any(re.fullmatch(pattern, path) for pattern in patterns)]
    assert not missing
