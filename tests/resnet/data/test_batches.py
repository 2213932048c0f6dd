import dataclasses

import hypothesis
import pytest
import torch
from hypothesis import strategies as st

from resnet.data import Augmentation, Batches, load_data

# torch advises fewer workers on a single core, and Python warns of fork where there are threads.
workers_start = pytest.mark.filterwarnings(
    "ignore:This DataLoader will create:UserWarning", "ignore:.*multi-threaded, use of fork:DeprecationWarning"
)
EVERYTHING = Augmentation(crop_padding=1, flip=True, erasing=0.5)


def batches(data, **changes):
    usual = {"batch_size": 4, "seed": 0, "shuffle": True, "drop_last": False}
    return Batches(data.train, data, **{**usual, **changes})


def same(first, second):
    first, second = list(first), list(second)
    return len(first) == len(second) and all(
        torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in zip(first, second, strict=True)
    )


def values(epoch):
    """The number of each image of `numbered`, in the order of the epoch."""
    return [round(value) for images, _ in epoch for value in images[:, 0, 0, 0].tolist()]


@hypothesis.given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 5), st.booleans())
def test_an_epoch_has_every_image_once_with_its_label(numbered, count, batch_size, epoch, shuffle):
    made = batches(numbered(count), batch_size=batch_size, shuffle=shuffle)
    parts = list(made.epoch(epoch))
    assert len(parts) == len(made)
    assert sorted(values(parts)) == list(range(count))
    labels = torch.cat([labels for _, labels in parts])
    assert labels.tolist() == [value % 3 for value in values(parts)]
    assert [len(images) for images, _ in parts[:-1]] == [batch_size] * (len(parts) - 1)


@hypothesis.given(st.integers(4, 40), st.integers(1, 4))
def test_what_fills_no_batch_can_be_left_out(numbered, count, batch_size):
    made = batches(numbered(count), batch_size=batch_size, drop_last=True)
    sizes = [len(images) for images, _ in made.epoch(0)]
    assert sizes == [batch_size] * (count // batch_size) == [batch_size] * len(made)


@hypothesis.given(st.integers(0, 6), st.booleans(), st.sampled_from([None, EVERYTHING]))
def test_an_epoch_resumes_from_any_batch_with_the_same_images(numbered, start, drop_last, augmentation):
    data = numbered(23)
    made = batches(data, augmentation=augmentation, drop_last=drop_last)
    start = min(start, len(made))
    whole = list(made.epoch(3))
    another = batches(data, augmentation=augmentation, drop_last=drop_last)
    assert same(whole[start:], another.epoch(3, start))


def test_order_and_augmentation_change_with_epoch_and_seed(numbered):
    made = batches(numbered(30), augmentation=EVERYTHING)
    assert same(made.epoch(1), made.epoch(1))
    assert not same(made.epoch(1), made.epoch(2))
    assert not same(made.epoch(1), batches(numbered(30), augmentation=EVERYTHING, seed=1).epoch(1))


def test_the_order_of_a_seed_is_the_same_with_any_augmentation(numbered):
    plain = [labels for _, labels in batches(numbered(30)).epoch(1)]
    augmented = [labels for _, labels in batches(numbered(30), augmentation=EVERYTHING).epoch(1)]
    assert torch.equal(torch.cat(plain), torch.cat(augmented))


def test_the_generators_of_the_training_are_left_alone(numbered, folder_of, tmp_path):
    folder = load_data(str(folder_of(tmp_path, {"cat": 3, "dog": 3})), image_size=8)
    before = torch.get_rng_state()
    list(batches(numbered(9), augmentation=EVERYTHING).epoch(1))
    list(batches(folder, augmentation=Augmentation(random_resized_crop=True)).epoch(1))
    assert torch.equal(before, torch.get_rng_state())


def test_images_are_normalised_by_mean_and_std(numbered):
    data = dataclasses.replace(numbered(9, channels=2), mean=(0.25, 0.5), std=(0.5, 0.125))
    ((images, _),) = batches(data, batch_size=9, shuffle=False).epoch(0)
    pixels = data.train.images / 255
    expected = (pixels - torch.tensor(data.mean)[:, None, None]) / torch.tensor(data.std)[:, None, None]
    assert images.dtype == torch.float32
    torch.testing.assert_close(images, expected)


def test_erased_pixels_have_the_mean_colour(numbered):
    data = dataclasses.replace(numbered(9), mean=(0.5,), std=(0.25,))
    ((images, _),) = batches(data, batch_size=9, augmentation=Augmentation(erasing=1.0)).epoch(0)
    assert bool((images == 0).flatten(1).any(1).all())


def test_the_images_of_the_set_are_never_changed(numbered):
    data = numbered(9)
    before = data.train.images.clone()
    for images, _ in batches(data, augmentation=EVERYTHING).epoch(0):
        images.zero_()
    assert torch.equal(data.train.images, before)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_images_have_the_layout_that_is_asked_for(numbered, channels, layout):
    images, _ = next(batches(numbered(9, channels=channels), layout=layout).epoch(0))
    assert images.is_contiguous(memory_format=torch.channels_last if layout == "nhwc" else torch.contiguous_format)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"workers": -1}, "workers must be at least 0"),
        ({"layout": "channels_last"}, "choices: nchw, nhwc"),
        ({"batch_size": 10, "drop_last": True}, "smaller batch size"),
        ({"augmentation": Augmentation(random_resized_crop=True)}, "folder of images"),
    ],
)
def test_arguments_out_of_range_are_refused(numbered, changes, words):
    with pytest.raises(ValueError, match=words):
        batches(numbered(9), **changes)


@pytest.mark.parametrize(("number", "start"), [(-1, 0), (0, -1), (0, 4)])
def test_a_batch_that_there_is_not_is_refused(numbered, number, start):
    with pytest.raises(ValueError, match="an epoch has 3 batches"):
        batches(numbered(9)).epoch(number, start)


@workers_start
def test_files_give_the_same_batches_with_any_number_of_workers_from_any_batch(folder_of, tmp_path):
    data = load_data(str(folder_of(tmp_path, {"cat": 4, "dog": 5})), image_size=8)
    augmentation = Augmentation(random_resized_crop=True, flip=True)
    alone = batches(data, augmentation=augmentation, batch_size=2)
    helped = batches(data, augmentation=augmentation, batch_size=2, workers=2)
    for epoch in (1, 2):
        whole = list(alone.epoch(epoch))
        assert same(whole, helped.epoch(epoch))
        assert same(whole[3:], helped.epoch(epoch, 3))
    next(helped.epoch(1))  # and after an epoch that was left early
    assert same(alone.epoch(2), helped.epoch(2))
    assert not same(alone.epoch(1), alone.epoch(2))


@workers_start
@pytest.mark.parametrize("workers", [0, 1])
def test_a_corrupt_image_is_named_in_a_single_line(folder_of, tmp_path, workers):
    folder_of(tmp_path, {"cat": 2, "dog": 2})
    corrupt = tmp_path / "train" / "dog" / "1.png"
    data = load_data(str(tmp_path), image_size=8)  # which reads a sample of the files
    corrupt.write_bytes(corrupt.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"cannot decode .*dog/1\.png") as caught:
        list(batches(data, workers=workers).epoch(0))
    assert "\n" not in str(caught.value)


@pytest.mark.gpu
def test_an_accelerator_gets_the_batches_of_the_cpu(numbered, folder_of, tmp_path):
    if not torch.accelerator.is_available():
        pytest.skip("no accelerator on this machine")
    device = torch.accelerator.current_accelerator()
    files = load_data(str(folder_of(tmp_path, {"cat": 3, "dog": 3})), image_size=8)
    for data in (numbered(23, channels=3, size=8), files):
        theirs = list(batches(data, augmentation=EVERYTHING, device=device).epoch(1))
        assert theirs[0][0].device.type == device.type
        for (images, labels), expected in zip(theirs, batches(data, augmentation=EVERYTHING).epoch(1), strict=True):
            torch.testing.assert_close((images.cpu(), labels.cpu()), expected)
