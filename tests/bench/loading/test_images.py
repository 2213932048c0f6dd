import pytest
import torch

from bench.loading.decoders import Decoder, open_decoder
from bench.loading.images import FileImages, MemoryImages, image_files
from resnet.data import load_data
from results.errors import InputError
from tests.bench.loading.photos import write_photos


def test_the_images_of_a_folder_are_in_order_and_nothing_else_is(tmp_path):
    folder = write_photos(tmp_path, 3, size=(16, 12))
    (folder / "class0" / "notes.txt").write_text("no image")
    names = [path.removeprefix(f"{folder}/") for path in image_files(folder)]
    assert names == ["class0/00000.jpg", "class0/00002.jpg", "class1/00001.jpg"]


def test_training_images_are_taken_where_a_folder_has_them(tmp_path):
    write_photos(tmp_path / "train", 1, size=(16, 12))
    write_photos(tmp_path / "val", 2, size=(16, 12))
    assert image_files(tmp_path) == (str(tmp_path / "train" / "class0" / "00000.jpg"),)


def test_a_folder_without_images_is_one_line(tmp_path):
    with pytest.raises(InputError, match="holds no image"):
        image_files(tmp_path)


def test_a_file_goes_through_its_stages_to_uint8_of_the_right_size(tmp_path):
    images = FileImages(image_files(write_photos(tmp_path, 2, size=(50, 40))), open_decoder("pillow"), 24)
    assert [stage.name for stage in images.stages] == ["read", "decode", "transform"]
    image, label = images[1]
    assert (image.shape, image.dtype, label) == ((3, 24, 24), torch.uint8, 0)
    assert image.float().std() > 1


def test_a_decoder_of_tensors_gives_images_alike(tmp_path):
    decoder = Decoder("made up", lambda data: torch.full((3, 40, 50), len(data) % 256, dtype=torch.uint8))
    image, _ = FileImages(image_files(write_photos(tmp_path, 1, size=(50, 40))), decoder, 24)[0]
    assert (image.shape, image.dtype) == ((3, 24, 24), torch.uint8)


@pytest.mark.parametrize("content", [b"", b"no jpeg", b"\xff\xd8\xff\xe0 half"])
def test_a_corrupt_image_is_named(tmp_path, content):
    path = tmp_path / "broken.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.jpg") as caught:
        _ = FileImages([str(path)], open_decoder("pillow"), 24)[0]
    assert "\n" not in str(caught.value)


def test_a_file_that_has_gone_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.jpg: No such file"):
        _ = FileImages([str(tmp_path / "gone.jpg")], open_decoder("pillow"), 24)[0]


def test_images_in_memory_are_normalised_one_by_one():
    data = load_data("fake", image_size=16)
    images = MemoryImages(data, data.train, 2)
    assert len(images) == len(data.train)
    stack = torch.stack([images[index][0] for index in range(64)])
    assert (stack.shape[1:], stack.dtype) == (data.train.images.shape[1:], torch.float32)
    assert abs(stack.mean()) < 0.5
    assert images[5][1] == data.train.labels[5]
