"""The class of an operator or a kernel, by its name: `operator_kind`.

Names are those of torch's operators, of its autograd nodes, and of the kernels of cuDNN, cuBLAS, MIOpen, Triton and
inductor. The first pattern that fits decides.
"""

import functools
import re
from typing import Final

from results.schema.lines.profile import OperatorKind

_PATTERNS: Final[tuple[tuple[OperatorKind, str], ...]] = (
    ("communication", r"nccl|rccl|c10d|allreduce|all_reduce|allgather|all_gather|reduce_scatter|gloo|param_comms"),
    ("optimizer", r"optimizer|_fused_(sgd|adam)|fused_?(sgd|adam)|_foreach_|multi_tensor_apply|addcdiv|addcmul|lerp"),
    ("fused", r"^triton_(?!tem)|cpp_fused|graph_\d+_cpp|CompiledFxGraph"),
    ("convolution", r"conv(?!ert)|wgrad|dgrad|winograd|implicit_gemm|miopen.*(igemm|conv)|scudnn"),
    ("normalisation", r"batch_?norm|batchnorm|layer_?norm|group_?norm|\bbn_(fw|bw)|welford"),
    ("pooling", r"pool"),
    ("loss", r"nll_?loss|cross_entropy|log_?softmax|binary_cross_entropy|mse_loss|smooth_l1|\bl1_loss"),
    (
        "linear",
        r"gemm|\bmm\b|::(mm|addmm|bmm|matmul|linear|_addmm|baddbmm)|addmm|mmbackward|matmul|cijk_|cutlass|^triton_tem|gemv",
    ),
    ("activation", r"relu|threshold|clamp_min|clamp|sigmoid|silu|gelu|hardswish|tanh"),
    (
        "copy",
        r"memcpy|memset|copy|::to\b|to_copy|contiguous|clone|cat\b|transpose|nchwto|nhwcto|permute|reorder|fill_|fillfunctor|zero_",
    ),
    (
        "addition",
        r"::add_?\b|::add\.|^add(backward)?\d*$|add_?kernel|addbackward|cudafunctor_?on?_?self_?add|functor_add",
    ),
)
_COMPILED: Final = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)


@functools.lru_cache(maxsize=4096)
def operator_kind(name: str) -> OperatorKind:
    """Return the class of an operator or a kernel; ``other`` where no pattern fits."""
    return next((kind for kind, pattern in _COMPILED if pattern.search(name)), "other")
