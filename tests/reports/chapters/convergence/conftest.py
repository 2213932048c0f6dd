import pytest

from results.storage.reader import load
from tests.reports.sources import source_of
from tests.trainings import made_trainings, training_header, write_trainings


@pytest.fixture
def source(tmp_path, make_case, make_run):
    """What figures draw of some lines of trainings, or of complete ones."""

    def make(*bodies, **options):
        bodies = bodies or tuple(made_trainings(make_case, **options))
        return source_of(load(write_trainings(tmp_path, training_header(make_run), bodies)))

    return make
