"""A training that is killed at random moments and goes on: ``python -m tests.resnet.training.killing KILLS SEED``.

It prints how many processes died by SIGKILL, how many trainings came to their end, and how many of those ended with
other weights than the training that nobody killed.
"""

import hashlib
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import torch

from tests.resnet.training.conftest import AUGMENTED, trainer_of

EPOCHS = 6


def train(folder):
    """Train from the latest checkpoint to the end, with a checkpoint at every value; leave a digest of the weights."""
    trainer = trainer_of(
        epochs=EPOCHS,
        schedule="one-cycle",
        average="ema",
        accumulate=2,
        augmentation=AUGMENTED,
        options={"deterministic": True, "layout": "nhwc"},
    )
    checkpoint = folder / "checkpoint.safetensors"
    if checkpoint.exists():
        trainer.restore(checkpoint)
    for _ in trainer.run():
        trainer.save(checkpoint)
    digest = hashlib.sha256()
    for key, value in trainer.network.state_dict().items():
        digest.update(key.encode() + value.contiguous().numpy().tobytes())
    (folder / "part").write_text(digest.hexdigest())
    (folder / "part").replace(folder / "digest")


def begin(folder):
    """Train in a forked process; return its id."""
    folder.mkdir(exist_ok=True)
    child = os.fork()  # this process has loaded torch, but computes nothing, so it has no threads
    if child == 0:
        try:
            train(folder)
        except BaseException:  # noqa: BLE001 - a fork must never return into the parent's code
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def end(child):
    """Wait for a process; return whether it was killed."""
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise RuntimeError("a training failed; see above")
    return os.WIFSIGNALED(status)


def count(kills, seed, root):
    """Kill `kills` processes; return the trainings that ended, and those with other weights."""
    began = time.monotonic()
    end(begin(root / "reference"))
    seconds = time.monotonic() - began
    moments = random.Random(seed)
    digests = []
    killed = 0
    while killed < kills or not digests:
        folder = root / f"training {len(digests)}"
        while not (folder / "digest").exists():
            child = begin(folder)
            if killed < kills:
                time.sleep(moments.uniform(0, 0.5 * seconds))
                os.kill(child, signal.SIGKILL)
            killed += end(child)
        digests.append((folder / "digest").read_text())
    expected = (root / "reference" / "digest").read_text()
    return killed, len(digests), sum(digest != expected for digest in digests)


if __name__ == "__main__":
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        print(*count(int(sys.argv[1]), int(sys.argv[2]), Path(scratch)))  # noqa: T201 - its answer
