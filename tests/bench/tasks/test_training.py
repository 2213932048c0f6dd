import math

import torch

from bench.tasks.workload import build


def test_training_marks_the_borders_of_its_three_phases_and_learns(tiny, monkeypatch):
    losses = []
    entropy = torch.nn.CrossEntropyLoss.forward

    def watched(self, *arguments):
        loss = entropy(self, *arguments)
        losses.append(loss.item())
        return loss

    monkeypatch.setattr(torch.nn.CrossEntropyLoss, "forward", watched)
    monkeypatch.setattr("bench.tasks.training.LEARNING_RATE", 0.05)
    workload = build(tiny(task="training", batch_size=4))
    assert workload.phases == ("forward", "backward", "optimizer")
    marks = []
    for _ in range(12):
        workload.step(lambda: marks.append(1))
    assert len(marks) == 24
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0] / 2
