import pytest

from resnet.data.sources.content import Request
from resnet.data.sources.folder import load_folder


def test_class_folders_give_classes_labels_and_files_in_order(folder_of, tmp_path):
    folder_of(tmp_path, {"dog": 2, "cat": 1})
    (tmp_path / "train" / "dog" / "deeper").mkdir()
    (tmp_path / "train" / "dog" / "1.png").rename(tmp_path / "train" / "dog" / "deeper" / "x.JPEG")
    (tmp_path / "train" / "dog" / "notes.txt").touch()
    (tmp_path / "train" / ".hidden").mkdir()
    content = load_folder(Request(path=tmp_path))
    assert content.classes == ("cat", "dog")
    assert content.train.labels.tolist() == [0, 1, 1]
    names = [path.removeprefix(f"{tmp_path}/train/") for path in content.train.paths]
    assert names == ["cat/0.png", "dog/0.png", "dog/deeper/x.JPEG"]
    assert content.validation.labels.tolist() == [0, 1, 1]


def test_class_folders_without_train_have_no_validation_images(folder_of, tmp_path):
    folder_of(tmp_path, {"dog": 2, "cat": 1}, parts=("pets",))
    content = load_folder(Request(path=tmp_path / "pets"))
    assert len(content.train) == 3
    assert content.validation is None


def refused(path, words):
    with pytest.raises(ValueError, match=words) as caught:
        load_folder(Request(path=path))
    assert "\n" not in str(caught.value)


def test_folders_that_nobody_can_learn_from_are_refused(folder_of, tmp_path):
    refused(None, "give the path")
    refused(tmp_path / "missing", "no folder")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "has no class folders")
    folder_of(tmp_path / "alone", {"cat": 1})
    refused(tmp_path / "alone", "one class folder, 'cat'")
    folder_of(tmp_path / "hollow", {"cat": 1, "dog": 0})
    refused(tmp_path / "hollow", "'.*dog' has no image")


def test_train_and_val_must_have_the_same_classes(folder_of, tmp_path):
    folder_of(tmp_path, {"cat": 1, "dog": 1, "emu": 1}, parts=("train",))
    folder_of(tmp_path, {"cat": 1, "eel": 1, "fox": 1}, parts=("val",))
    refused(tmp_path, r"only in train: dog, emu; only in val: eel, fox")
