import math

import pytest
import torch

from resnet.heads.metrics import dice, mask_iou, mean_average_precision, precision_recall

UNIT = [0.0, 0.0, 10.0, 10.0]
FAR = [50.0, 50.0, 60.0, 60.0]


def truth(*boxes, labels=None):
    return {"boxes": torch.tensor(boxes).reshape(-1, 4), "labels": torch.tensor(labels or [1] * len(boxes)).long()}


def detected(*boxes, scores, labels=None):
    return truth(*boxes, labels=labels) | {"scores": torch.tensor(scores)}


def test_all_right_is_one_and_nothing_is_zero():
    assert mean_average_precision([detected(UNIT, FAR, scores=[0.9, 0.8])], [truth(UNIT, FAR)]) == 1.0
    assert mean_average_precision([detected(scores=[])], [truth(UNIT)]) == 0.0
    assert math.isnan(mean_average_precision([detected(UNIT, scores=[0.5])], [truth()]))


def test_the_area_is_that_of_the_curve_by_hand():
    """Hit, miss, hit of three boxes: precision 1, 1/2, 2/3 at recall 1/3, 1/3, 2/3; so 1/3 × 1 + 1/3 × 2/3."""
    third = [80.0, 80.0, 90.0, 90.0]
    detections = [detected(UNIT, [20.0, 20.0, 30.0, 30.0], FAR, scores=[0.9, 0.8, 0.7])]
    precision, recall = precision_recall(detections, [truth(UNIT, FAR, third)], label=1)
    assert precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3])
    assert recall.tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3])
    assert mean_average_precision(detections, [truth(UNIT, FAR, third)]) == pytest.approx(1 / 3 + 2 / 9)


def test_a_second_detection_of_a_box_is_a_miss_whichever_image_comes_first():
    twice = detected(UNIT, UNIT, scores=[0.9, 0.8])
    precision, recall = precision_recall([twice, detected(FAR, scores=[0.7])], [truth(UNIT), truth(FAR)], label=1)
    assert precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3])
    assert recall.tolist() == pytest.approx([1 / 2, 1 / 2, 1])


def test_the_threshold_is_on_the_intersection_over_union():
    half = [0.0, 0.0, 10.0, 5.0]  # half of the box: exactly 0.5
    assert mean_average_precision([detected(half, scores=[0.9])], [truth(UNIT)], threshold=0.5) == 1.0
    assert mean_average_precision([detected(half, scores=[0.9])], [truth(UNIT)], threshold=0.51) == 0.0


def test_classes_count_alike_and_do_not_mix():
    """Class 1 is all right; of class 2 the only box is detected as class 1, behind the right detection."""
    detections = [detected(UNIT, FAR, scores=[0.9, 0.8], labels=[1, 1])]
    assert mean_average_precision(detections, [truth(UNIT, FAR, labels=[1, 2])]) == 0.5


def test_a_detection_takes_the_best_box_that_is_free():
    """The better detection fits the left box best; the other then gets the right box, which it overlaps less."""
    left, right = [0.0, 0.0, 10.0, 10.0], [2.0, 0.0, 12.0, 10.0]
    detections = [detected(left, [1.0, 0.0, 11.0, 10.0], scores=[0.9, 0.8])]
    assert mean_average_precision(detections, [truth(left, right)]) == 1.0


def test_images_must_be_as_many():
    with pytest.raises(ValueError, match="1 images with detections, but 2"):
        mean_average_precision([detected(scores=[])], [truth(UNIT), truth(UNIT)])


def random_case(seed):
    source = torch.Generator().manual_seed(seed)
    truths, detections = [], []
    for _ in range(12):
        corners = torch.rand(4, 2, generator=source) * 50
        boxes = torch.cat([corners, corners + 10 + 20 * torch.rand(4, 2, generator=source)], 1)
        labels = torch.randint(1, 4, (4,), generator=source)
        truths.append({"boxes": boxes, "labels": labels})
        moved = torch.cat([boxes, boxes]) + 4 * torch.randn(8, 4, generator=source)
        moved = torch.cat([moved[:, :2], torch.maximum(moved[:, 2:], moved[:, :2] + 1)], 1)
        wrong = torch.rand(8, generator=source) < 0.2
        names = torch.where(wrong, 1 + labels.repeat(2) % 3, labels.repeat(2))
        detections.append({"boxes": moved, "labels": names, "scores": torch.rand(8, generator=source)})
    return detections, truths


@pytest.mark.parametrize("seed", range(3))
def test_the_curve_is_cocos(seed):
    """COCO's average takes 101 points of the curve: with them it is the same number."""
    coco = pytest.importorskip("faster_coco_eval.core", reason="a cross-check where faster-coco-eval is installed")
    detections, truths = random_case(seed)
    boxes = [
        {"id": 1 + len(truths) * index + image, "image_id": image, "category_id": int(label), "iscrowd": 0}
        | {"bbox": _xywh(box), "area": float((box[2] - box[0]) * (box[3] - box[1]))}
        for image, true in enumerate(truths)
        for index, (box, label) in enumerate(zip(true["boxes"], true["labels"], strict=True))
    ]
    images = [{"id": image, "width": 100, "height": 100} for image in range(len(truths))]
    categories = [{"id": label, "name": str(label)} for label in (1, 2, 3)]
    reference = coco.COCO({"images": images, "annotations": boxes, "categories": categories})
    results = reference.loadRes(
        [
            {"image_id": image, "category_id": int(label), "bbox": _xywh(box), "score": float(score)}
            for image, found in enumerate(detections)
            for box, label, score in zip(found["boxes"], found["labels"], found["scores"], strict=True)
        ]
    )
    judge = coco.COCOeval_faster(reference, results, "bbox")
    judge.evaluate()
    judge.accumulate()
    theirs = judge.eval["precision"][0, :, :, 0, -1].mean()
    ours = []
    for label in (1, 2, 3):
        precision, recall = precision_recall(detections, truths, label=label)
        points = [precision[recall >= point - 1e-12] for point in torch.linspace(0, 1, 101, dtype=torch.float64)]
        ours.append(sum(float(part.max()) if len(part) else 0.0 for part in points) / 101)
    assert sum(ours) / 3 == pytest.approx(theirs, abs=1e-9)
    assert mean_average_precision(detections, truths) == pytest.approx(theirs, abs=0.01)


def _xywh(box):
    left, top, right, bottom = box.double().tolist()
    return [left, top, right - left, bottom - top]


def test_dice_and_iou_by_hand():
    """Two of four pixels, three of four, two common: Dice 4/5, IoU 2/3. Both empty: 1. One empty: 0."""
    masks = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]).bool()
    truths = torch.tensor([[1, 1, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]]).bool()
    assert dice(masks, truths).tolist() == pytest.approx([4 / 5, 1, 0])
    assert mask_iou(masks, truths).tolist() == pytest.approx([2 / 3, 1, 0])


def test_masks_are_boolean_and_of_one_shape():
    with pytest.raises(ValueError, match="must be bool and of one shape"):
        dice(torch.zeros(2, 4), torch.zeros(2, 4).bool())
    with pytest.raises(ValueError, match=r"\(2, 4\) and .* \(2, 5\)"):
        mask_iou(torch.zeros(2, 4).bool(), torch.zeros(2, 5).bool())
