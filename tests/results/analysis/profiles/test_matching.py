import pytest

from results.analysis.profiles.matching import matched_profiles, memory_of, peaks_of
from results.errors import InputError
from results.storage.reader import load
from results.storage.writer import Writer
from tests.conftest import _case
from tests.profiles import memory, peaks, profile


@pytest.fixture
def written(tmp_path, make_run):
    """Write run files with profiles."""
    count = iter(range(9))

    def write(*bodies):
        with Writer.create(tmp_path, make_run(id=f"run-{next(count)}", plan=(), suite="profile")) as writer:
            for body in bodies:
                writer.append(body)
            writer.end("complete")
        return load(writer.path).files[0]

    return write


def made(model="resnet18", **fields):
    return profile(case=_case(model=model), **fields)


FAILED = {"status": "error", "cause": "it broke", "operators": (), "profiled_s": None}


def test_the_same_cases_belong_together(written):
    a, b = written(made(), made("resnet50")), written(made("resnet50", scale=2.0), made("resnet34"))
    ((first, second),) = matched_profiles(a, b)
    assert first.label == second.label
    assert second.profiled_s == pytest.approx(2 * first.profiled_s)


def test_the_only_profiles_belong_together_whatever_their_cases(written):
    a, b = written(made()), written(made("resnet50"), made("resnet34", **FAILED))
    assert [(x.case.model, y.case.model) for x, y in matched_profiles(a, b)] == [("resnet18", "resnet50")]


def test_a_file_with_itself_gives_its_two_profiles(written):
    file = written(made(), made("resnet50"))
    assert [(x.case.model, y.case.model) for x, y in matched_profiles(file, file)] == [("resnet18", "resnet50")]
    alone = written(made())
    with pytest.raises(InputError, match="needs two"):
        matched_profiles(alone, alone)


def test_what_does_not_belong_together_is_refused(written):
    a, b = written(made(), made("resnet34")), written(made("resnet50"))
    with pytest.raises(InputError, match="no case in common"):
        matched_profiles(a, b)


def test_files_without_profiles_are_refused(written):
    with pytest.raises(InputError, match="has no profile; `resnet-bench profile` makes some"):
        matched_profiles(written(), written(made()))
    with pytest.raises(InputError, match=r"no profile that succeeded: .*it broke"):
        matched_profiles(written(made(**FAILED)), written(made()))


def test_peaks_are_those_of_the_device_and_its_threads_and_memory_that_of_the_case(written):
    case = _case(model="resnet18")
    right, wrong = profile(case=case), profile(case=_case(model="resnet18", threads=1))
    file = written(peaks(), right, memory(case=case))
    assert (peaks_of(right, file), memory_of(right, file)) == (file.bodies("peaks")[0], file.bodies("memory")[0])
    assert (peaks_of(wrong, file), memory_of(wrong, file)) == (None, None)
