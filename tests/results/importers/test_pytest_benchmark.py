import json
import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import results
from results.analysis.study import Study
from results.errors import InputError
from results.exporters.pytest_benchmark import to_pytest_benchmark
from results.importers import pytest_benchmark
from results.importers.writing import import_files
from tests.results.importers.given import options

NEEDED = {"task": "inference", "precision": "fp32", "layout": "nchw", "runtime": "eager", "device": "cpu"}


def saved(**fields):
    """What pytest-benchmark 5.3.1 saves of one benchmark, less what is not read."""
    benchmark = {
        "group": None,
        "name": "test_forward[8]",
        "fullname": "test_x.py::test_forward[8]",
        "params": {"batch_size": 8, "image_size": 224},
        "extra_info": {"model": "resnet50"},
        "options": {"disable_gc": False},
        "stats": {"min": 0.01, "median": 0.02, "rounds": 4, "data": [0.02, 0.01, 0.03, 0.02], "iterations": 1},
    }
    return {
        "machine_info": {
            "python_version": "3.11.7",
            "system": "Linux",
            "release": "6.8.0",
            "cpu": {"brand_raw": "AMD EPYC", "count": 2},
        },
        "benchmarks": [{**benchmark, **fields}],
        "datetime": "2026-11-22T00:38:12.5+00:00",
        "version": "5.3.1",
    }


@pytest.fixture
def imported(tmp_path):
    """Returns a function that imports JSON, and gives the records."""

    def run(content, **given):
        path = tmp_path / "saved.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        files = import_files("pytest-benchmark", [path], tmp_path / "again", options(**given), tell=print)
        return results.load(*files)

    return run


def test_rounds_become_the_steps_of_one_process(imported):
    records = imported(saved(), **NEEDED)
    (record,) = records
    assert record.samples.step_s == (0.02, 0.01, 0.03, 0.02)
    assert (record.case.model, record.case.batch_size, record.case.image_size) == ("resnet50", 8, 224)
    assert (record.case.threads, record.summary) == (None, None)
    row = results.table(records).loc[0]
    assert (row["latency_s"], row["throughput_img_per_s"]) == (0.02, pytest.approx(400))
    assert "rounds" in row["notes"][0]
    environment = records.run(record).environment
    assert (environment.cpu, environment.logical_cores, environment.os) == ("AMD EPYC", 2, "Linux")
    assert (environment.kernel, environment.python, environment.torch) == ("6.8.0", "3.11.7", None)
    assert records.run(record).started == "2026-11-22T00:38:12.5+00:00"


def test_without_rounds_the_median_is_the_latency(imported):
    row = results.table(imported(saved(stats={"median": 0.04}), **NEEDED)).loc[0]
    assert (row["latency_s"], row["throughput_img_per_s"]) == (0.04, 200)
    assert row[["family", "block", "depth"]].tolist() == ["resnet", "bottleneck", 50]
    assert row["nulls"]["latency_p99_s"] == "its source does not state it"


@pytest.mark.parametrize(
    ("params", "images"),
    [
        ({"image_size": "224x160"}, ("224x160", 3)),
        ({"image_size": [224, 160], "in_channels": 1}, ("224x160", 1)),
        ({"image_size": [1, 28, 28]}, (28, 1)),
    ],
)
def test_images_need_not_be_square_or_have_three_channels(imported, params, images):
    (record,) = imported(saved(params={"batch_size": 2} | params), **NEEDED)
    assert (record.case.image_size, record.case.in_channels) == images


def test_extra_info_beats_params_which_beat_options(imported):
    content = saved(extra_info={"batch_size": 4, "task": "training"}, params={"batch_size": 2, "image_size": 64})
    (record,) = imported(content, batch_size=16, image_size=32, **NEEDED)
    assert (record.case.batch_size, record.case.image_size, record.case.task) == (4, 64, "training")
    assert record.case.model == "test_forward[8]"


def test_what_another_project_keeps_in_extra_info_is_left_alone(imported):
    extra = {"run": "../nightly", "machine": "ci-7", "metrics": {"loss": 3}, "samples": None}
    records = imported(saved(extra_info=extra), **NEEDED)
    run = records.run(records[0])
    assert run.id.startswith("saved-")
    assert (run.environment.cpu, run.environment.accelerators) == ("AMD EPYC", ())


def test_a_device_has_the_name_that_is_given(imported):
    records = imported(saved(), **{**NEEDED, "device": "NVIDIA H100"}, torch="2.9")
    assert results.table(records).loc[0, ["device", "accelerator", "torch"]].tolist() == [
        "cuda:0",
        "NVIDIA H100",
        "2.9",
    ]


def several(*benchmarks, **fields):
    """A file of several benchmarks, of each of which some fields are given."""
    return saved() | {"benchmarks": [saved(**each)["benchmarks"][0] for each in benchmarks]} | fields


@pytest.fixture
def told(tmp_path):
    """Returns a function that imports JSON, and gives the records and what was told."""

    def run(content, **given):
        path, lines = tmp_path / "saved.json", []
        path.write_text(json.dumps(content))
        files = import_files("pytest-benchmark", [path], tmp_path / "told", options(**given), tell=lines.append)
        return results.load(*files), [line.partition("saved.json: ")[2] for line in lines]

    return run


def test_tests_of_the_same_name_are_distinguished_by_their_modules(told):
    twin = {"name": "test_it", "extra_info": {}}
    content = several(
        {**twin, "fullname": "a.py::test_it"},
        {**twin, "fullname": "b.py::test_it"},
        {"extra_info": {}, "name": "test_x"},
    )
    records, (line,) = told(content, **NEEDED)
    assert [record.case.model for record in records] == ["a.py::test_it", "b.py::test_it", "test_x"]
    assert line.endswith("counts as model: benchmarks[0], benchmarks[1]")


def test_networks_of_the_same_name_with_other_parameters_are_distinguished_too(told):
    content = several({"fullname": "a.py::test_it[sgd]"}, {"fullname": "a.py::test_it[adam]"})
    records, _ = told(content, **NEEDED)
    assert [record.case.model for record in records] == ["a.py::test_it[sgd]", "a.py::test_it[adam]"]


def test_an_accelerator_of_the_file_is_never_shown_as_the_cpu(told):
    content = several({"params": {"device": "cuda", "dtype": "float16", "batch_size": 1, "image_size": 8}})
    given = {name: value for name, value in NEEDED.items() if name != "device"}
    records, lines = told(content, **given)
    row = results.table(records).loc[0]
    assert row[["device", "accelerator", "precision"]].tolist() == ["cuda:0", "unknown accelerator", "fp16"]
    assert lines == [
        "--precision fp32 is not used where the file states another value: benchmarks[0]",
        "cuda:0: an accelerator without a name; give --device NAME",
    ]


@pytest.mark.parametrize("key", ["gpu", "gpu_name", "device_name", "accelerator"])
def test_the_name_of_an_accelerator_is_read(told, key):
    content = saved(params={"device": "cuda:1", "batch_size": 1, "image_size": 8}, extra_info={key: "NVIDIA T4"})
    given = {name: value for name, value in NEEDED.items() if name != "device"}
    assert results.table(told(content, **given)[0]).loc[0, "accelerator"] == "NVIDIA T4"


def test_a_device_that_torch_does_not_know_is_its_own_name(told):
    content = saved(params={"device": "NVIDIA A100", "batch_size": 1, "image_size": 8})
    given = {name: value for name, value in NEEDED.items() if name != "device"}
    records, lines = told(content, **given)
    assert results.table(records).loc[0, ["device", "accelerator"]].tolist() == ["NVIDIA A100", "NVIDIA A100"]
    assert lines == []


def test_a_bare_device_is_the_accelerator_of_a_file_with_both(told):
    sizes = {"batch_size": 1, "image_size": 8}
    content = several({"params": {"device": "cpu", **sizes}}, {"params": {"device": "cuda", **sizes}})
    records, _ = told(content, **{**NEEDED, "device": "NVIDIA H100"})
    assert results.table(records)[["cpu", "accelerator"]].to_numpy().tolist() == [
        ["AMD EPYC", None],
        ["AMD EPYC", "NVIDIA H100"],
    ]


UNNAMED = {
    "network": "UNSERIALIZABLE[ResNet(\n  (conv1): Conv2d(3, 64)\n)]",
    "function": "UNSERIALIZABLE[<function resnet18 at 0x7f6008a5fb00>]",
    "long": "x" * 200,
    "hidden": "a\x1b[31m",
    "object": {"depth": 50},
    "number": 50,
}


@pytest.mark.parametrize("case", UNNAMED)
def test_a_model_that_is_no_name_gives_way_to_the_name_of_the_test(told, case):
    content = saved(params={"model": UNNAMED[case], "batch_size": 8, "image_size": 8}, extra_info={})
    records, (line,) = told(content, **NEEDED)
    assert records[0].case.model == "test_forward[8]"
    assert line.startswith("no name of a network, so the test's name counts: benchmarks[0].params.model is ")
    assert line.isprintable()


def test_a_benchmark_outside_of_the_axes_is_left_out_and_named(told):
    sizes = {"batch_size": 1, "image_size": 8}
    content = several({"params": {"dtype": "float64", **sizes}}, {"params": {"dtype": "float32", **sizes}})
    records, (line,) = told(content, **NEEDED)
    assert [record.case.precision for record in records] == ["fp32"]
    assert line.startswith("1 of 2 left out: benchmarks[0].params.dtype: 'float64' is none of ")


def test_the_commit_of_the_code_is_read(imported):
    info = {"id": "0dc1e86a85e2526a4235cd2a21dcab252e4164a3", "dirty": True, "branch": "main", "project": "x"}
    records = imported({**saved(), "commit_info": info}, **NEEDED)
    source = records.run(records[0]).source
    assert (source.commit, source.dirty, source.branch) == (info["id"], True, "main")
    assert source.code == "0dc1e86a85e2-dirty on main"


@pytest.mark.parametrize("info", [None, {}, {"id": "unversioned", "dirty": None}, {"id": "0" * 40}, {"id": 3}])
def test_code_without_a_commit_has_none(imported, info):
    records = imported({**saved(), "commit_info": info}, **NEEDED)
    source = records.run(records[0]).source
    assert (source.commit, source.dirty, source.branch, source.code) == (None, None, None, None)


def test_a_file_of_an_older_version_is_read(imported):
    content = {"benchmarks": [{"name": "x", "stats": {"median": 1}, "params": None}], "machine_info": {"cpu": "x86"}}
    records = imported(content, batch_size=1, image_size=224, **NEEDED)
    assert records.run(records[0]).environment.cpu is None


@pytest.mark.parametrize("name", ["measured", "foreign"])
def test_an_export_of_ours_comes_back_with_its_metrics_and_intervals(imported, request, name):
    records = request.getfixturevalue(name)
    frame = results.table(records)
    frame = frame[(frame["status"] == "ok") & frame["equality"].ne("wrong")].reset_index(drop=True)
    back = results.table(imported(to_pytest_benchmark(Study(records)).content().decode()))
    columns = [*results.schema.case.AXES, "run", "cpu", "torch", "interval"]
    assert back[columns].to_json() == frame[columns].to_json()
    metrics = ["latency_s", "latency_low_s", "latency_high_s", "throughput_img_per_s", "speedup", "parameters"]
    assert back[metrics].to_json() == frame[metrics].to_json()


@pytest.fixture
def foreign(tmp_path, make_case, make_run, write_run):
    from results.schema.lines.record import Record, Summary  # noqa: PLC0415
    from results.schema.lines.run import Source  # noqa: PLC0415

    case = make_case(threads=None, device="cuda:0")
    summary = Summary(metrics={"latency_s": 0.04, "throughput_img_per_s": 200.0})
    record = Record(case=case, replicate=0, status="ok", started=None, duration_s=None, summary=summary)
    source = Source(format="timm", file="benchmark.csv", sha256="0" * 64)
    run = make_run((case,), accelerator="RTX 3090", started=None, settings=None, source=source)
    return results.load(write_run(tmp_path / "imported", [record], run=run))


def test_each_run_of_an_export_of_ours_comes_back_as_itself(imported, two_runs):
    records = two_runs({}, {})
    back = results.table(imported(to_pytest_benchmark(Study(records)).content().decode()))
    assert back["run"].tolist() == ["run-0", "run-1"]
    assert back["latency_s"].tolist() == results.table(records)["latency_s"].tolist()


WRONG = {
    "no JSON": ("{", "saved.json: not JSON: "),
    "no object": ("[]", "this is no JSON of pytest-benchmark"),
    "no benchmarks": ("{}", "benchmarks: is missing"),
    "none": ({"benchmarks": []}, "benchmarks: holds none to import"),
    "deep": ("[" * 100_000, "saved.json: nested too deeply"),
    "median": (saved(stats={}), "benchmarks[0].stats.median: is missing"),
    "zero": (saved(stats={"median": 0}), "benchmarks[0].stats.median: 0.0 is no time"),
    "nan": (json.dumps(saved(stats={"median": float("nan")})), "benchmarks[0].stats.median: should be a finite number"),
    "round": (saved(stats={"median": 1, "data": [1, 0]}), "benchmarks[0], samples.step_s[1]: "),
    "batch": (saved(params={"batch_size": "8"}), "benchmarks[0].params.batch_size: '8' is not a whole number"),
    "true": (saved(params={"batch_size": True}), "benchmarks[0].params.batch_size: 'True' is not a whole number"),
    "precision": (
        saved(extra_info={"precision": "int4"}),
        "holds none to import; benchmarks[0].extra_info.precision: 'int4' is none of fp32, ",
    ),
    "dtypes": (
        saved(params={"dtype": "half", "precision": "fp32"}),
        "precision says fp32 and dtype says fp16; correct",
    ),
    "device": (saved(params={"device": "cuda"}), "benchmarks[0]: its device is cuda:0, and --device cpu is another"),
    "image": (saved(params={"batch_size": 1}), "image_size: stated in neither extra_info nor params; give"),
    "twice": ({"benchmarks": saved()["benchmarks"] * 2}, "benchmarks[1]: the same case as benchmarks[0]"),
    "run": (saved(extra_info={"run": "../x", "metrics": {"latency_s": 1}}), "run id '../x'"),
    "zero metric": (
        saved(extra_info={"metrics": {"latency_s": 0}}),
        "[0].extra_info.metrics.latency_s: '0' is no time",
    ),
    "word": (saved(extra_info={"metrics": {"latency_s": "1"}}), "[0].extra_info.metrics.latency_s: '1' is no time"),
    "strange": (saved(extra_info={"metrics": {"latency_s": 1, "x": 2}}), "benchmarks[0], summary: 'x' is no metric"),
    "bounds": (saved(extra_info={"metrics": {"latency_s": 1}, "bounds": 3}), "benchmarks[0].extra_info.bounds: "),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_with_its_place_and_nothing_is_written(imported, tmp_path, case):
    content, message = WRONG[case]
    with pytest.raises(InputError) as caught:
        imported(content, **NEEDED)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 1000
    assert not (tmp_path / "again").exists()


def test_a_file_that_memory_would_not_hold_is_refused(imported, monkeypatch):
    monkeypatch.setattr(pytest_benchmark, "_MAX_BYTES", 100)
    with pytest.raises(InputError, match=r"saved\.json: larger than 0 MiB; save it without the rounds"):
        imported(saved(), **NEEDED)


def test_what_a_case_needs_must_be_given(imported):
    with pytest.raises(InputError) as caught:
        imported(saved(params={"batch_size": 4}))
    assert str(caught.value).endswith(
        "saved.json: task, image_size, device, precision, runtime, layout: stated in neither extra_info nor params; "
        "give what holds for this file, in the form --task inference --image-size 224 --device cpu --precision fp32 "
        "--runtime eager --layout nchw"
    )


ANY = st.recursive(
    st.sampled_from([None, True, -1, 0, 1, 2**63, 10**400, 0.5, 1e-300, "", "cpu", "../x", "\x1b", "latency_s"])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["latency_s", "cpu", "x"]), inner),
    max_leaves=5,
)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
def test_any_change_gives_runs_or_one_line(tmp_path, data):
    content = saved(extra_info={"model": "resnet50", "metrics": {"latency_s": 1.0}, "bounds": {}, "run": "x"})
    place = content
    while True:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(ANY)
    path, out = tmp_path / "saved.json", tmp_path / "again"
    path.write_text(json.dumps(content))
    problem = None
    try:
        files = import_files("pytest-benchmark", [path], out, options(**NEEDED), tell=print)
    except InputError as error:
        problem = str(error)
    if problem is not None:
        assert len(problem.splitlines()) == 1
        assert not out.exists()
    else:
        results.table(results.load(*files))
        for file in files:
            file.unlink()
        out.rmdir()


def test_what_pytest_benchmark_saves_today_is_read(imported, tmp_path):
    test = tmp_path / "test_it.py"
    test.write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('batch_size', [1, 2])\n"
        "def test_sum(benchmark, batch_size):\n"
        "    benchmark.extra_info['image_size'] = 32\n"
        "    benchmark.pedantic(sum, args=(range(1000),), rounds=3, iterations=2)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", str(test), "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    saved_as = tmp_path / "real.json"
    # Inside a worker of pytest-xdist, which these variables tell of, pytest-benchmark does not measure.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    subprocess.run([*command, f"--benchmark-json={saved_as}"], check=True, capture_output=True, cwd=tmp_path, env=alone)
    records = imported(saved_as.read_text(), **NEEDED)
    told = json.loads(saved_as.read_text())["benchmarks"]
    assert [record.case.model for record in records] == ["test_sum[1]", "test_sum[2]"]
    assert [record.case.batch_size for record in records] == [1, 2]
    assert [list(record.samples.step_s) for record in records] == [one["stats"]["data"] for one in told]
    assert results.table(records)["latency_s"].tolist() == [one["stats"]["median"] for one in told]
