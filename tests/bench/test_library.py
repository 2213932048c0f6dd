"""`bench.run`: the shapes that it takes, and what is wrong with them."""

import pytest

import bench
import results
from results.errors import InputError
from results.schema.case import Case
from tests.bench.runs import QUICK, TINY

pytestmark = pytest.mark.usefixtures("shared")

BAD_CASE = Case(
    model="cifar_resnet2",
    task="inference",
    batch_size=1,
    image_size=32,
    device="cpu",
    precision="fp32",
    runtime="eager",
    layout="nchw",
    threads=1,
)


def test_given_cases_and_replicates(tmp_path, make_case):
    case = make_case(model="cifar_resnet20", batch_size=1, image_size=32, threads=1)
    records = bench.run([case, case], device="cpu", out=tmp_path, replicates=2, **QUICK)
    assert [record.replicate for record in records] == [0, 1]
    assert {record.case for record in records} == {case}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"suite": "defualt"}, "did you mean 'default'"),
        ({"axes": {**TINY, "model": ["resnt50"]}}, "did you mean 'resnet50'"),
        ({"axes": {**TINY, "batch_size": [0]}}, "batch_size"),
        ({"axes": {**TINY, "precision": ["fp23"]}}, "did you mean 'fp32'"),
        ({"axes": {**TINY, "image_size": [3]}}, "image"),
        ({"suite": [BAD_CASE]}, "did you mean 'cifar_resnet"),
        ({"axes": TINY, "device": "cuda:7"}, "no device 'cuda:7'"),
        ({"axes": TINY, "target": 0.0}, "target"),
        ({"suite": []}, "no cases"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing_behind(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        bench.run(**{"device": "cpu", **arguments})
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--out"):
        bench.run(axes=TINY, device="cpu", out=tmp_path / "file", **QUICK)


def test_train_takes_names_and_choices(tmp_path):
    data = bench.DataChoice(name="fake", image_size=8, limit=64)
    options = {"epochs": 2, "batch_size": 32, "device": "cpu", "out": tmp_path, "until": 1e-9}
    records = bench.train("cifar_resnet20", data=data, seeds=[3], **options)
    (row,) = results.trainings(records).to_dict("records")
    assert (row["model"], row["data"], row["seeds"]) == ("cifar_resnet20", "fake", 1)
    assert row["ends"] == "1 stopped early"


def test_an_unknown_choice_is_named():
    with pytest.raises(InputError, match="did you mean 'epochs'"):
        bench.train("cifar_resnet20", data="fake", epoch=1)


def test_best_takes_models_and_choices(tmp_path, monkeypatch):
    asked = {}

    def find_best(request, **options):
        asked.update(request=request, **options)
        return "the search", "its records"

    monkeypatch.setattr("bench.schedule.racing.run.find_best", find_best)
    assert bench.best("resnet18", device="cpu", out=tmp_path, batches=None, max_latency_s=0.1) == (
        "the search",
        "its records",
    )
    assert (asked["request"].models, asked["request"].batches, asked["device"]) == (("resnet18",), None, "cpu")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bench.best("resnt18"), "did you mean"),
        (lambda: bench.best("resnet18", max_latency=1), "did you mean 'max_latency_s'"),
        (lambda: bench.profile({"model": ["resnt18"]}), "did you mean"),
        (lambda: bench.fit({"model": ["resnet18"]}, memory="8"), "no unit"),
    ],
)
def test_other_calls_say_what_is_wrong(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_profile_and_fit_return_their_files(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.schedule.profiling.run.run_profiles", lambda suite, **options: (suite.name, options))
    monkeypatch.setattr("bench.schedule.fitting.run.run_fits", lambda suite, request, **options: request)
    name, options = bench.profile({"model": ["resnet18"]}, out=tmp_path)
    assert (name, options["out"]) == ("custom", tmp_path)
    assert bench.fit({"model": ["resnet18"]}, memory="8GB", verify=True).memory_bytes == 8 * 10**9
