import hypothesis
import pytest
import torch
from hypothesis import strategies as st

from resnet.data import Augmentation
from resnet.data.augmentation import ERASED_AREA, crop, draw, erase, flip

SIZE = 8
EVERYTHING = Augmentation(crop_padding=2, flip=True, erasing=0.5)


def images(count=5, channels=3, size=SIZE):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (count, channels, size, size), dtype=torch.uint8, generator=generator)


def drawn(augmentation, count=1000, seed=0, epoch=1, order=None, size=SIZE):
    order = torch.arange(count) if order is None else order
    return draw(augmentation, order, image_size=size, seed=seed, epoch=epoch)


def test_nothing_is_drawn_by_default():
    assert drawn(Augmentation()).to(torch.device("cpu")).part(0, 9)._items() == (
        ("flips", None),
        ("shifts", None),
        ("boxes", None),
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"crop_padding": -1}, "crop_padding"),
        ({"crop_padding": 1.5}, "crop_padding"),
        ({"erasing": 1.5}, "erasing"),
        ({"flip": True, "alternating_flip": True}, "exclude"),
    ],
)
def test_impossible_values_are_refused(values, words):
    with pytest.raises(ValueError, match=words):
        Augmentation(**values)


@hypothesis.given(st.integers(0, 3), st.integers(1, 3), st.data())
def test_a_crop_is_the_window_that_its_shift_names(padding, channels, data):
    batch = images(2, channels)
    shifts = [data.draw(st.tuples(*[st.integers(0, 2 * padding)] * 2)) for _ in batch]
    cropped = crop(batch, torch.tensor(shifts), padding)
    padded = torch.zeros(2, channels, SIZE + 2 * padding, SIZE + 2 * padding, dtype=torch.uint8)
    padded[:, :, padding : padding + SIZE, padding : padding + SIZE] = batch
    for result, image, (row, column) in zip(cropped, padded, shifts, strict=True):
        assert torch.equal(result, image[:, row : row + SIZE, column : column + SIZE])


def test_a_crop_can_leave_an_image_where_it_is():
    assert torch.equal(crop(images(), torch.full((5, 2), 3), 3), images())


def test_shifts_take_every_value_and_no_other():
    shifts = drawn(EVERYTHING).shifts
    assert shifts.shape == (1000, 2)
    assert sorted(set(shifts.flatten().tolist())) == [0, 1, 2, 3, 4]


def test_flips_mirror_the_chosen_images_only():
    flips = torch.tensor([True, False, True, False, False])
    flipped = flip(images(), flips)
    assert torch.equal(flipped[flips], images()[flips].flip(-1))
    assert torch.equal(flipped[~flips], images()[~flips])


@hypothesis.given(st.lists(st.booleans(), min_size=5, max_size=5))
def test_two_flips_are_none(flips):
    flips = torch.tensor(flips)
    assert torch.equal(flip(flip(images(), flips), flips), images())


def test_about_half_of_the_images_are_flipped():
    assert 400 < int(drawn(EVERYTHING).flips.sum()) < 600


def test_alternating_flips_mirror_every_image_in_every_other_epoch_whatever_the_order():
    augmentation = Augmentation(alternating_flip=True)
    orders = [torch.randperm(1000, generator=torch.Generator().manual_seed(seed)) for seed in range(4)]
    by_image = torch.zeros(4, 1000, dtype=torch.bool)
    for epoch, order in enumerate(orders):
        by_image[epoch, order] = drawn(augmentation, order=order, epoch=epoch).flips
    assert torch.equal(by_image[0], ~by_image[1])
    assert torch.equal(by_image[0], by_image[2])
    assert torch.equal(by_image[1], by_image[3])
    assert 400 < int(by_image[0].sum()) < 600


def test_erasing_blanks_the_box_in_all_channels():
    batch = torch.ones(2, 3, SIZE, SIZE)
    boxes = torch.tensor([[1, 2, 3, 4], [5, 5, 0, 3]])
    expected = batch.clone()
    expected[0, :, 1:4, 2:6] = 0
    assert torch.equal(erase(batch, boxes), expected)


@pytest.mark.parametrize("size", [1, 8, 32])
def test_boxes_lie_inside_with_the_published_area_and_probability(size):
    top, left, height, width = drawn(Augmentation(erasing=0.25), count=4000, size=size).boxes.unbind(1)
    assert int(top.min()) >= 0
    assert int(left.min()) >= 0
    assert int((top + height).max()) <= size
    assert int((left + width).max()) <= size
    if size == 32:
        share = (height * width)[height > 0] / size**2
        assert 0.22 < float((height > 0).float().mean()) < 0.28
        assert float(share.min()) > ERASED_AREA[0] - 0.02  # rounding to whole pixels
        assert float(share.max()) < ERASED_AREA[1] + 0.03


def test_numbers_follow_from_seed_and_epoch():
    first, again = drawn(EVERYTHING), drawn(EVERYTHING)
    for other in (drawn(EVERYTHING, epoch=2), drawn(EVERYTHING, seed=1)):
        for (_, one), (_, same), (_, different) in zip(first._items(), again._items(), other._items(), strict=True):
            assert torch.equal(one, same)
            assert not torch.equal(one, different)


def test_a_step_draws_the_same_whatever_other_steps_there_are():
    assert torch.equal(drawn(EVERYTHING).shifts, drawn(Augmentation(crop_padding=2)).shifts)
    assert torch.equal(drawn(EVERYTHING).boxes, drawn(Augmentation(erasing=0.5)).boxes)
