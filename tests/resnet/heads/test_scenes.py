import pytest
import torch

from resnet.heads.scenes import BACKGROUND, make_scenes


def test_boxes_are_exact_apart_and_inside(tiles):
    scenes = make_scenes(*tiles, count=20, size=48, objects=(2, 4), sides=(8, 16), seed=0)
    for image, boxes, labels in zip(scenes.images, scenes.boxes, scenes.labels, strict=True):
        assert 1 <= len(boxes) == len(labels) <= 4
        bright = torch.zeros(48, 48, dtype=torch.bool)
        for left, top, right, bottom in boxes.int().tolist():
            assert 0 <= left < right <= 48
            assert 0 <= top < bottom <= 48
            assert not bool(bright[top:bottom, left:right].any()), "boxes overlap"
            bright[top:bottom, left:right] = True
        assert not bool((image[0] > BACKGROUND)[~bright].any()), "something is outside of all boxes"


def test_an_object_fills_its_box_and_has_its_class(tiles):
    """An object that is not resized is the rectangle of its class, 5 wide and 2, 4 or 6 high."""
    scenes = make_scenes(*tiles, count=20, size=32, objects=(1, 1), sides=(8, 8), seed=0)
    for image, (box,), (label,) in zip(scenes.images, scenes.boxes, scenes.labels, strict=True):
        left, top, right, bottom = box.int().tolist()
        assert (right - left, bottom - top) == (5, 2 * int(label))
        assert bool((image[0, top:bottom, left:right] == 200).all())


def test_a_seed_gives_the_same_scenes_and_another_gives_others(tiles):
    first, again, other = (make_scenes(*tiles, count=3, size=32, sides=(8, 10), seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.images, again.images)
    assert all(map(torch.equal, first.boxes, again.boxes))
    assert not torch.equal(first.images, other.images)


def test_a_batch_is_what_detectors_take(tiles):
    images, targets = make_scenes(*tiles, count=3, size=32, sides=(8, 10), seed=1).batch([2, 0])
    assert images[0].shape == (1, 32, 32)
    assert float(images[0].max()) <= 1.0
    assert targets[0]["boxes"].dtype == torch.float32
    assert targets[0]["labels"].dtype == torch.int64


@pytest.mark.parametrize(
    ("change", "message"),
    [({"sides": (8, 40)}, "40 pixels do not fit into scenes of 32"), ({"labels": torch.zeros(2)}, "a label for each")],
)
def test_nonsense_is_refused(tiles, change, message):
    images, labels = tiles
    with pytest.raises(ValueError, match=message):
        make_scenes(**{"images": images, "labels": labels, "count": 1, "size": 32, "seed": 0, **change})
