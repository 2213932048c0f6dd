import subprocess
import sys

import pytest

import results

_HEAVY = ("torch", "plotly", "pandas", "pydantic", "scipy", "numpy")


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import results", set()),
        ("import results; results.METRICS", {"numpy"}),
        ("import results.store, results.writer", set()),
        ("import results.tables, results.formats, results.sanity", {"numpy"}),
    ],
)
def test_importing_is_cheap_and_never_needs_torch(code, allowed):
    check = f"{code}; import sys; print(*[name for name in {_HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= allowed


def test_load_and_table_need_neither_torch_nor_plotly(tmp_path, write_run, make_record, make_static):
    path = write_run(tmp_path, [make_record()], [make_static()])
    code = (
        "import sys, results; from results.formats import format_table; "
        "print(format_table(results.table(results.load(sys.argv[1])), 'table')); "
        "print('heavy:', *[name for name in ('torch', 'plotly') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert "resnet50" in done.stdout
    assert done.stdout.endswith("heavy:\n")


def test_the_package_has_what_it_names_and_nothing_else():
    for name in results.__all__:
        assert getattr(results, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        results.nonsense  # noqa: B018
