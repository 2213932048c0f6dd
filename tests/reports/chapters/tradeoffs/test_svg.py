import pandas as pd

from reports.chapters.tradeoffs.svg import drawing


def test_the_line_goes_down_before_it_goes_on():
    frame = pd.DataFrame(
        {
            "model": ["slow", "fast", "beaten"],
            "throughput_img_per_s": [1.0, 100.0, 10.0],
            "imagenet_top1": [0.8, 0.7, 0.6],
            "machine": ["one", "one", "one"],
            "accuracy": ["accuracy by torchvision"] * 3,
        }
    )
    drawn = drawing(frame)
    places = {dot.name: (dot.x, dot.y) for dot in drawn.dots}
    corners = [tuple(map(float, corner.split(","))) for corner in drawn.line.split()]
    (left, up), (right, down) = places["slow"], places["fast"]
    assert left < places["beaten"][0] < right
    assert up < down < places["beaten"][1]
    assert corners == [(left, up), (left, down), (right, down)]
