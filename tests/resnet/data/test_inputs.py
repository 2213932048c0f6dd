"""Images as people have them become batches."""

import pytest
import torch
from PIL import Image

from resnet.data.inputs import pictures_to_batch

GREY = {"image_size": 4, "mean": (0.5,), "std": (0.25,)}
COLOUR = {"image_size": 4, "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


def test_pixels_are_normalised_by_channel():
    batch = pictures_to_batch([torch.full((1, 4, 4), 255, dtype=torch.uint8), torch.zeros(1, 4, 4)], **GREY)
    assert batch.shape == (2, 1, 4, 4)
    assert batch[0].unique().tolist() == [2.0]
    assert batch[1].unique().tolist() == [-2.0]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1"])
def test_an_image_of_any_mode_becomes_what_the_network_takes(mode):
    image = Image.new("RGB", (8, 6), (255, 255, 255)).convert(mode)
    assert pictures_to_batch([image], **COLOUR).shape == (1, 3, 4, 4)
    assert pictures_to_batch([image], **GREY)[0].unique().tolist() == pytest.approx([2.0])


def test_a_file_is_read_and_a_tensor_resized(tmp_path):
    Image.new("L", (9, 9), 128).save(tmp_path / "grey.png")
    batch = pictures_to_batch([tmp_path / "grey.png", torch.full((1, 9, 7), 128, dtype=torch.uint8)], **GREY)
    assert torch.allclose(batch, torch.tensor((128 / 255 - 0.5) / 0.25), atol=1e-5)


def test_the_middle_of_a_tensor_is_taken_and_its_shape_is_not_distorted():
    wide = torch.zeros(1, 4, 8)
    wide[:, :, 2:6] = 1
    large = wide.repeat_interleave(2, 1).repeat_interleave(2, 2)
    batch = pictures_to_batch([wide, wide.transpose(1, 2), large], **GREY)
    assert torch.allclose(batch, torch.tensor(2.0))


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (torch.zeros(1, 1, 4, 4), "shape"),
        (torch.zeros(1, 0, 4), "shape"),
        (torch.zeros(1, 4, 4, dtype=torch.int64), "uint8"),
        (torch.full((1, 4, 4), -1.0), "normalises them itself"),
        ("nothing.png", "nothing.png"),
    ],
)
def test_other_images_are_refused(picture, message):
    with pytest.raises(ValueError, match=message):
        pictures_to_batch([picture], **GREY)


def test_an_image_file_cannot_feed_a_network_of_other_channels():
    with pytest.raises(ValueError, match="takes 4 channels"):
        pictures_to_batch([Image.new("L", (4, 4))], image_size=4, mean=(0.0,) * 4, std=(1.0,) * 4)
