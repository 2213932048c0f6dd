import pytest

from bench.process.training.messages import DataChoice
from bench.schedule.training.plan import TrainingFiles, TrainingPlan
from results.errors import InputError
from tests.bench.trainees import make_training

PLAN = TrainingPlan(
    trainings=(make_training(1), make_training(2, seed=1)),
    data=DataChoice(name="digits", limit=100),
    until=0.93,
    time_limit_s=60.0,
)


@pytest.fixture
def files(tmp_path):
    return TrainingFiles(tmp_path / "20261127-train-a1.jsonl")


def test_a_plan_comes_back(files):
    files.write(PLAN)
    assert files.read() == PLAN


def test_files_lie_next_to_the_run_file_and_their_names_are_relative(files, tmp_path):
    assert files.name(files.checkpoint(2)) == "20261127-train-a1.checkpoints/training-2.safetensors"
    assert files.name(files.network(2)) == "20261127-train-a1-2.safetensors"
    assert files.network(2).parent == tmp_path


def test_cleaning_leaves_checkpoints_that_were_left(files):
    files.write(PLAN)
    files.checkpoint(1).write_text("of a training that diverged")
    (files.folder / "training-2.safetensors.77.part").write_text("half a checkpoint")
    files.clean()
    assert [path.name for path in files.folder.iterdir()] == ["training-1.safetensors"]
    files.checkpoint(1).unlink()
    files.clean()
    assert not files.folder.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"trainings": 3, "data": {"name": "digits"}}'])
def test_a_damaged_plan_is_a_line(files, content):
    files.folder.mkdir()
    (files.folder / "plan.json").write_bytes(content)
    with pytest.raises(InputError, match="cannot go on, as its plan is damaged") as caught:
        files.read()
    assert "\n" not in str(caught.value)


def test_no_plan_is_a_line(files):
    with pytest.raises(InputError, match="cannot go on without its plan"):
        files.read()


def test_a_folder_that_cannot_be_made_is_a_line(files):
    files.folder.write_text("a file")
    with pytest.raises(InputError, match="choose another --out"):
        files.write(PLAN)
