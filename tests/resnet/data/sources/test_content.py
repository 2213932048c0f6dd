import pytest

from resnet.data.sources.content import fetch, first_folder


def test_the_first_folder_with_a_file_is_taken(tmp_path):
    for name in ("b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    folders = tuple(tmp_path / name for name in "abc")
    assert first_folder(folders, ("other", "file")) == tmp_path / "b"
    assert first_folder(folders, ("other",)) is None


def test_a_download_goes_to_its_folder(tmp_path):
    calls = []
    fetch(lambda **arguments: calls.append(arguments), tmp_path)
    assert calls == [{"root": str(tmp_path), "download": True}]


@pytest.mark.parametrize(
    "error", [OSError("no network\nat all"), RuntimeError("File not found or corrupted."), OSError()]
)
def test_a_failed_download_ends_in_a_single_line(error, tmp_path):
    class Dataset:
        def __init__(self, **arguments):
            raise error

    with pytest.raises(ValueError, match=r"cannot download Dataset to '.*': [^\n]+") as caught:
        fetch(Dataset, tmp_path)
    assert "\n" not in str(caught.value)
