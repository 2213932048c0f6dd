import doctest
import subprocess
import sys

import pytest

import results

_HEAVY = ("torch", "plotly", "pandas", "pydantic", "scipy", "numpy")


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import results", set()),
        ("import results.storage.reader, results.storage.writer", set()),
        ("import results.text, results.schema.labels", set()),
        (
            "import results.metrics.table, results.metrics.warnings, reports.text.comparison",
            {"numpy"},
        ),
    ],
)
def test_importing_is_cheap_and_never_needs_torch(code, allowed):
    check = f"{code}; import sys; print(*[name for name in {_HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= allowed


def test_load_and_table_need_neither_torch_nor_plotly(tmp_path, write_run, make_record, make_static):
    path = write_run(tmp_path, [make_record()], [make_static()])
    code = (
        "import sys, results; from reports.text.table import format_table; "
        "print(format_table(results.table(results.load(sys.argv[1])), 'table')); "
        "print('heavy:', *[name for name in ('torch', 'plotly') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert "resnet50" in done.stdout
    assert done.stdout.endswith("heavy:\n")


def test_the_example_in_the_docstring_runs(tmp_path, monkeypatch, write_run, make_record, make_static, make_run):
    monkeypatch.chdir(tmp_path)
    records = [make_record(replicate=index, latency_s=0.05 + 1e-5 * index) for index in range(4)]
    for name in ("base", "new"):
        write_run("runs", records, [make_static()], run=make_run(plan=[records[0].case], run_id=name))
    found = doctest.testmod(results)
    assert found.attempted >= 4
    assert found.failed == 0


def test_the_package_has_what_it_names():
    for name in results.__all__:
        assert callable(getattr(results, name))
