"""torchao's quantization of exported graphs (PT2E), for inductor on x86."""

import torch
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer.x86_inductor_quantizer import (
    X86InductorQuantizer,
    get_default_x86_inductor_quantization_config,
)

from bench.quantization import saturates


def quantize_module(module: torch.nn.Module, images: torch.Tensor) -> torch.nn.Module:
    """Return the quantized graph of a module in eval mode, in which a compiler that freezes finds oneDNN's operators.

    Args:
        module: the network in fp32.
        images: calibration images (batch, channels, height, width).
    """
    graph = torch.export.export(module, (images,), strict=True).module()  # its partitions come from strict tracing
    quantizer = X86InductorQuantizer()
    quantizer.set_global(get_default_x86_inductor_quantization_config(reduce_range=saturates()))
    observed = prepare_pt2e(graph, quantizer)
    observed(images)
    quantized: torch.nn.Module = convert_pt2e(observed)
    return quantized
