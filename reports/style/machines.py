"""The machines of a page in groups that a chart can tell apart, each machine with a style of its group."""

import math

import pandas as pd

from reports.style.theme import MACHINES
from reports.style.views import TRAINING


def grouped(frame: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Return the group of each machine and its index in the group, which is the index of its style in `MACHINES`.

    Groups are of about equal size and of machines of similar speed, the fastest first. All charts of a page give a
    machine the same style. The speed of a machine is its highest throughput of inference, else of any task.
    """
    sound = frame[frame["status"].eq("ok")]
    trains = sound["task"].isin(TRAINING)
    speeds: dict[str, tuple[bool, float]] = {}
    for machine, trained, rate in zip(sound["machine"], trains, sound["throughput_img_per_s"], strict=True):
        known = (not trained, 0.0 if math.isnan(rate) else float(rate))
        speeds[machine] = max(known, speeds.get(machine, known))
    names = dict.fromkeys(str(name) for name in frame["machine"])
    ranked = sorted(names, key=lambda name: speeds.get(name, (False, 0.0)), reverse=True)
    size = math.ceil(len(ranked) / max(1, math.ceil(len(ranked) / len(MACHINES))))
    return {name: divmod(index, size) for index, name in enumerate(ranked)}
