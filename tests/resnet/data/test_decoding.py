import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from resnet.data.decoding import center_crop, open_image, random_resized_crop, to_tensor


def picture(width, height):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(("width", "height"), [(300, 400), (500, 299), (64, 200)])
def test_the_middle_of_a_photograph_is_that_of_torchvision(width, height):
    expected = v2.Compose([v2.Resize(256), v2.CenterCrop(224)])(picture(width, height))
    assert np.array_equal(np.array(center_crop(picture(width, height), 224)), np.array(expected))


def test_a_small_image_keeps_its_margins():
    assert np.array_equal(np.array(center_crop(picture(32, 32), 32)), np.array(picture(32, 32)))


@pytest.mark.parametrize(("width", "height"), [(40, 30), (1, 50), (50, 1), (1, 1), (3, 2)])
def test_crops_have_the_size_that_is_asked_for(width, height):
    assert center_crop(picture(width, height), 16).size == (16, 16)
    for seed in range(20):
        assert random_resized_crop(picture(width, height), 16, np.random.default_rng(seed)).size == (16, 16)


def test_random_crops_differ_and_follow_from_the_generator():
    crops = [np.array(random_resized_crop(picture(40, 30), 16, np.random.default_rng(seed))) for seed in (0, 0, 1)]
    assert np.array_equal(crops[0], crops[1])
    assert not np.array_equal(crops[0], crops[2])


def test_a_random_crop_covers_the_published_share_of_the_image():
    ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))  # a pixel's value is its column
    image = Image.merge("RGB", [Image.fromarray(ramp), Image.fromarray(ramp.T), Image.fromarray(ramp)])
    shares = []
    for seed in range(200):
        pixels = np.array(random_resized_crop(image, 64, np.random.default_rng(seed))).astype(int)
        shares.append(np.ptp(pixels[..., 0]) * np.ptp(pixels[..., 1]) / 255**2)
    assert 0.06 < min(shares) < 0.15
    assert 0.85 < max(shares) <= 1


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_images_of_any_mode_become_colour(tmp_path, mode):
    path = tmp_path / "image.tif"
    picture(5, 4).convert(mode).save(path)
    tensor = to_tensor(open_image(str(path)))
    assert tensor.dtype == torch.uint8
    assert tensor.shape == (3, 4, 5)


def test_the_channels_come_first():
    image = picture(5, 4)
    assert to_tensor(image)[2, 3, 1] == image.getpixel((1, 3))[2]


def test_what_is_no_image_is_named(tmp_path):
    (tmp_path / "words.jpg").write_text("no image")
    (tmp_path / "empty.jpg").touch()
    picture(50, 50).save(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:900])
    for name in ("words.jpg", "empty.jpg", "cut.jpg", "missing.jpg"):
        with pytest.raises(ValueError, match=rf"cannot decode .*{name}': [^\n]+") as caught:
            open_image(str(tmp_path / name))
        assert "\n" not in str(caught.value)
