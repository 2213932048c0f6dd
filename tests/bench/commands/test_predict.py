import json

import pytest
import torch
from PIL import Image

import resnet
from tests.bench.calls import bad


@pytest.fixture
def network(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "network.safetensors"
    resnet.Classifier("cifar_resnet20", classes=["bag", "boot"], in_channels=1, image_size=8).save(path)
    return path


def test_predict_names_classes_with_probabilities(call, network, tmp_path):
    image = tmp_path / "image.png"
    Image.new("L", (8, 8), 90).save(image)
    code, out, _ = call("predict", network, image, "--format", "json")
    rows = json.loads(out)
    assert code == 0
    assert [row["rank"] for row in rows] == [1, 2]
    assert {row["class"] for row in rows} == {"bag", "boot"}
    assert sum(row["probability"] for row in rows) == pytest.approx(1)
    code, out, _ = call("predict", network, image, image, "--top", "1")
    assert (code, out.count("image.png")) == (0, 2)


def test_bad_input_is_a_line(call, network, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    assert "broken.png" in bad(call("predict", network, broken))
    assert "cannot read the network" in bad(call("predict", broken, broken))
    assert "no such file" in bad(call("predict", tmp_path / "absent", broken))
