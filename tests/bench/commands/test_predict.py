import json

import pytest
import resnet
import torch
from PIL import Image

from bench.cli import main
from tests.bench.calls import bad


@pytest.fixture
def network(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "network.safetensors"
    resnet.Classifier("cifar_resnet20", classes=["bag", "boot"], in_channels=1, image_size=8).save(path)
    return path


def test_predict_names_classes_with_probabilities(capsys, network, tmp_path):
    image = tmp_path / "image.png"
    Image.new("L", (8, 8), 90).save(image)
    assert main(["predict", str(network), str(image), "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["rank"] for row in rows] == [1, 2]
    assert {row["class"] for row in rows} == {"bag", "boot"}
    assert sum(row["probability"] for row in rows) == pytest.approx(1)
    assert main(["predict", str(network), str(image), str(image), "--top", "1"]) == 0
    assert capsys.readouterr().out.count("image.png") == 2


def test_bad_input_is_a_line(capsys, network, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    bad(capsys, "predict", str(network), str(broken), says="broken.png")
    bad(capsys, "predict", str(broken), str(broken), says="cannot read the network")
    bad(capsys, "predict", str(tmp_path / "absent"), str(broken), says="no such file")
