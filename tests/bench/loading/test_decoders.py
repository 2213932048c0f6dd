import importlib
import types

import numpy as np
import pytest
import torch

from bench.loading import decoders
from bench.loading.decoders import open_decoder
from results.errors import InputError
from tests.bench.loading.photos import jpeg_bytes


def test_pillow_decodes_to_rgb():
    decoder = open_decoder("pillow")
    assert decoder.name.startswith("Pillow ")
    image = decoder.decode(jpeg_bytes((40, 30)))
    assert (image.mode, image.size) == ("RGB", (40, 30))


def test_torchcodec_is_asked_for_rgb(monkeypatch):
    asked = {}

    def decode_image(data, *, mode):
        asked.update(data=data, mode=mode)
        return torch.zeros(3, 2, 2, dtype=torch.uint8)

    monkeypatch.setattr(decoders, "version", lambda name: "0.17.0")
    monkeypatch.setattr(importlib, "import_module", lambda name: types.SimpleNamespace(decode_image=decode_image))
    decoder = open_decoder("torchcodec")
    assert decoder.name == "torchcodec 0.17.0"
    assert decoder.decode(b"jpeg").shape == (3, 2, 2)
    assert asked == {"data": b"jpeg", "mode": "RGB"}


def test_a_real_torchcodec_decodes_the_pixels_of_pillow():
    pytest.importorskip("torchcodec.decoders")
    data = jpeg_bytes((64, 48))
    pixels = open_decoder("torchcodec").decode(data)
    image = open_decoder("pillow").decode(data)
    assert pixels.dtype == torch.uint8
    assert pixels.shape == (3, 48, 64)
    theirs = torch.from_numpy(np.array(image, dtype=np.float32)).permute(2, 0, 1)
    assert (pixels.float() - theirs).abs().mean() < 2


@pytest.mark.parametrize("error", [ImportError("No module named 'torchcodec'"), OSError("libavutil\nis missing")])
def test_a_decoder_that_is_not_installed_is_a_line_with_the_remedy(monkeypatch, error):
    def fail(name):
        raise error

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(InputError, match="pip install torchcodec") as caught:
        open_decoder("torchcodec")
    assert "\n" not in str(caught.value)


def test_an_unknown_decoder_names_the_choices():
    with pytest.raises(InputError, match=r"did you mean 'pillow'\? \(choices: pillow, torchcodec\)"):
        open_decoder("pilow")
