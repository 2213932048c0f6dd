import pytest

from results.storage.reader import load
from tests.trainings import made_trainings, training_header, write_trainings


@pytest.fixture
def loaded(tmp_path, make_case, make_run):
    """The records of a run file of some lines, or of complete trainings; `machine` are fields of its header."""

    def make(*bodies, name="train", status="complete", machine=None, **options):
        bodies = bodies or tuple(made_trainings(make_case, **options))
        run = training_header(make_run, name, **(machine or {}))
        return load(write_trainings(tmp_path, run, bodies, status))

    return make
