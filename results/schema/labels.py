"""What each precision label promises, in one place: dtypes, autocast, TF32 and loss scaling."""

import dataclasses
from typing import Final


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """How a precision computes; dtypes are names of torch's."""

    weights: str = "float32"
    autocast: str | None = None
    tf32: bool = False
    grad_scaler: bool = False
    """Whether training scales its loss."""

    @property
    def compute(self) -> str:
        """The dtype in which convolutions and linear layers compute."""
        return self.autocast or self.weights


PROMISES: Final[dict[str, Promise]] = {
    "fp32": Promise(),
    "tf32": Promise(tf32=True),
    "amp-fp16": Promise(autocast="float16", grad_scaler=True),
    "amp-bf16": Promise(autocast="bfloat16"),
    "fp16": Promise(weights="float16"),
    "bf16": Promise(weights="bfloat16"),
}
"""Every value of the axis ``precision``."""
