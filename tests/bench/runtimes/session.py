"""An engine that is not torch, for tests: a session in numpy that keeps copies of the weights it was exported with.

Its network is a batch norm, the mean of each colour and one linear layer (`Small`).
"""

import numpy as np
import torch

from bench.measure.device import Cpu
from bench.runtimes import RuntimeReport
from results.schema.lines.record import Ran


class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(3)
        self.fc = torch.nn.Linear(3, 10)

    def forward(self, x):
        return self.fc(self.norm(x).mean((2, 3)))


class Queue(Cpu):
    """The session's own queue."""

    def __init__(self):
        self.marks = 0

    def mark(self):
        self.marks += 1
        return super().mark()


class Session:
    """The exported network; `fault` is what it gets wrong."""

    def __init__(self, module, images, fault=None):
        self.device = Queue()
        self.fault = fault
        self.first_steps = 0
        self._images = images.numpy().copy()
        self._weights = {name: tensor.numpy().copy() for name, tensor in module.state_dict().items()}

    def forward(self):
        weights = self._weights
        scale = weights["norm.weight"] / np.sqrt(weights["norm.running_var"] + np.float32(1e-5))
        means = (self._images.mean((2, 3)) - weights["norm.running_mean"]) * scale + weights["norm.bias"]
        logits = means @ weights["fc.weight"].T + weights["fc.bias"]
        return logits * np.float32(1.02) if self.fault == "scaled" else logits

    def feed(self, images):
        if self.fault != "keeps its input":
            self._images[:] = images.numpy()

    def load(self, weights):
        if self.fault != "keeps its weights":
            self._weights = {name: tensor.float().numpy().copy() for name, tensor in weights.items()}

    def first_step_ended(self):
        self.first_steps += 1

    def report(self):
        nulls = dict.fromkeys(("graph_breaks", "recompiles"), "a session has no graph to break")
        return RuntimeReport(nulls=nulls, notes=("numpy ran it",))

    def ran(self):
        if self.fault == "blind":
            return "the session does not show its operators"
        return Ran(
            parameter_dtypes=("float32",),
            compute_dtypes=("float32",),
            layout="nchw",
            tf32_matmul=False,
            tf32_convolution=False,
            autocast=None,
            grad_scaler=False,
            threads=1,
        )


class Engine:
    fault = None

    def unsupported(self, case):
        return None if case.precision == "fp32" else f"a session has no {case.precision}"

    def prepare(self, case, module, images, *, device, cache):
        return Session(module, images, self.fault)


RUNTIME = Engine()
