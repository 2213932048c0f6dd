"""Follow the recipes of docs/architecture.md with throw-away things: all know them, and a forgotten part is named."""

import re

import pytest

from tests.registries.tree import ROOT, Recipe, grown, run_tests

AXIS = Recipe(
    edits={
        "results/schema/axes.py": (
            (
                '    "threads": Axis(',
                """\
    "checkpointing": Axis(
        role="setting",
        kind="word",
        help="Whether activations are computed again in the backward pass.",
        heading="saving",
        choices=("off", "on"),
        default="off",
        baseline="off",
    ),
    "threads": Axis(""",
            ),
        ),
        "results/schema/case.py": (
            (
                "    threads: Size | None\n",
                '    checkpointing: Literal[AXES["checkpointing"].choices] = "off"\n    threads: Size | None\n',
            ),
        ),
    },
    checks="axis.py",
)
METRIC = Recipe(
    edits={
        "results/schema/units.py": (
            (
                '    "FLOP": Unit(',
                '    "J": Unit(scales=((1.0, "J"),), suffix="j", words="joules"),\n    "FLOP": Unit(',
            ),
        ),
        "results/schema/metrics.py": (
            (
                '    _count("warmup_steps"',
                """\
    Metric(
        name="energy_j",
        unit="J",
        better="lower",
        label="energy",
        description="energy of a step",
        combine="median",
        tables=_CASES,
        terminal=(1e3, "mJ"),
    ),
    _count("warmup_steps\"""",
            ),
        ),
        "results/schema/record.py": (
            (
                "    peak_resident_bytes: Count | None = None\n",
                "    energy_j: Seconds | None = None\n    peak_resident_bytes: Count | None = None\n",
            ),
        ),
    },
    checks="metric.py",
)
RUNTIME = Recipe(
    edits={
        "results/schema/labels.py": (
            (
                '    "compile": Runtime(engine="inductor", compiles=True),',
                """\
    "scripted": Runtime(engine="scripted", tasks=("inference",)),
    "compile": Runtime(engine="inductor", compiles=True),""",
            ),
        ),
        "bench/runtimes/scripted.py": (
            (
                "",
                """\
import torch

from bench.runtimes import PreparedModule


class Scripted:
    def unsupported(self, case):
        return None if case.precision == "fp32" else "it is scripted in fp32 only"

    def prepare(self, case, module, images, *, device, cache):
        return PreparedModule(module, images, device, torch.fx.symbolic_trace(module))


RUNTIME = Scripted()
""",
            ),
        ),
    },
    checks="runtime.py",
)
RECIPES = {"axis": AXIS, "metric": METRIC, "runtime": RUNTIME}
NAMES = {"axis": "checkpointing", "metric": "energy_j|KeyError: 'J'", "runtime": "scripted"}
"""What the report of a forgotten part must name."""
FORGOTTEN = [(name, path) for name, recipe in RECIPES.items() for path in recipe.edits]


@pytest.mark.parametrize("name", RECIPES)
def test_who_follows_the_recipe_is_done(name, tmp_path):
    done = run_tests(grown(tmp_path, RECIPES[name]), RECIPES[name].checks)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "path"), FORGOTTEN)
def test_a_forgotten_part_is_named(name, path, tmp_path):
    done = run_tests(grown(tmp_path, RECIPES[name], without=path))
    assert done.returncode != 0
    assert re.search(NAMES[name], done.stdout + done.stderr), done.stdout + done.stderr


@pytest.mark.parametrize("name", RECIPES)
def test_the_document_names_every_file_of_the_recipe(name):
    document = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    _, _, rest = document.partition(f"### A{'n' if name == 'axis' else ''} {name}\n")
    section, _, _ = rest.partition("\n#")
    named = re.sub(r"<\w+>", "scripted", section)
    missing = [path for path in RECIPES[name].edits if path not in named]
    assert section
    assert not missing
