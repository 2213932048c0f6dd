"""Time of single blocks: every block type, first and later in each of the four stages, forward, forward + backward.

Run as ``python -m pytest tests/micro/micro_blocks.py``. The name keeps it out of the suite: what it
gives are times of this machine, and nothing to pass or fail. MACs are those of one forward pass of the batch.
"""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from resnet import ResNetConfig
from resnet.model import make_block

BATCH = 2
# Planes, and pixels a side, of what the four stages put out at 224 pixels: table 1 of He 2015.
STAGES = {"stage1": (64, 56), "stage2": (128, 28), "stage3": (256, 14), "stage4": (512, 7)}
BLOCKS = {
    "basic": ResNetConfig(block="basic"),
    "bottleneck": ResNetConfig(block="bottleneck"),
    "bottleneck-32x4d": ResNetConfig(block="bottleneck", groups=32, width_per_group=4),
    "preact_basic": ResNetConfig(block="preact_basic"),
    "preact_bottleneck": ResNetConfig(block="preact_bottleneck"),
    "plain_basic": ResNetConfig(block="basic", shortcut="none"),
    "plain_bottleneck": ResNetConfig(block="bottleneck", shortcut="none"),
}


FIRST, LATER = "first", "later"


def make(block, stage, place):
    """A block, with its input: (batch, channels, side, side).

    The first block of a stage has a stride of 2 and a projection, but for stage 1, whose stride the stem has taken.
    """
    torch.manual_seed(0)
    config = BLOCKS[block]
    planes, side = STAGES[stage]
    channels, stride = config.out_channels(planes), 1
    if place == FIRST and stage == "stage1":
        channels = config.stem_width
    elif place == FIRST:
        channels, stride = channels // 2, 2
    return make_block(config, channels, planes, stride=stride), torch.randn(
        BATCH, channels, side * stride, side * stride
    )


def macs(block, stage, place):
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        module, x = make(block, stage, place)
        module(x)
    return counter.get_total_flops() // 2


@pytest.mark.benchmark(max_time=0.2, min_rounds=5, warmup=True, warmup_iterations=3, disable_gc=True)
@pytest.mark.parametrize("place", [FIRST, LATER])
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("block", BLOCKS)
class TestBlock:
    def test_forward(self, benchmark, block, stage, place):
        benchmark.group = f"forward, {place} of {stage}"
        benchmark.extra_info.update(macs=macs(block, stage, place), batch_size=BATCH)
        module, x = make(block, stage, place)
        module.eval()
        with torch.inference_mode():
            out = benchmark(module, x)
        assert out.shape[2:] == (STAGES[stage][1],) * 2

    def test_forward_and_backward(self, benchmark, block, stage, place):
        benchmark.group = f"forward + backward, {place} of {stage}"
        benchmark.extra_info.update(macs=macs(block, stage, place), batch_size=BATCH)
        module, x = make(block, stage, place)
        x.requires_grad_()  # in a network the gradient goes on to the block before
        out_grad = torch.randn_like(module(x))

        def step():
            module.zero_grad()
            x.grad = None
            module(x).backward(out_grad)

        benchmark(step)
        assert x.grad.shape == x.shape
