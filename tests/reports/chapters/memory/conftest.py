import pytest

from results.storage import reader
from tests.conftest import _run
from tests.reports.sources import source_of


@pytest.fixture
def profiled(tmp_path):
    """Return the source of a run file with these lines."""
    from results.storage.writer import Writer  # noqa: PLC0415 - only here

    def profiled(*bodies, run_id="20261127-050000-profile-a1b2c3d4"):
        with Writer.create(tmp_path, _run(run_id=run_id, plan=(), suite="profile")) as writer:
            for body in bodies:
                writer.append(body)
            writer.end("complete")
        return source_of(reader.load(writer.path))

    return profiled
