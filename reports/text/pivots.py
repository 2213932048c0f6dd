"""Pivots of the frame of `results.table`, for people who set cases side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from results.schema.axes import AXES, BASELINE

if TYPE_CHECKING:
    import pandas as pd


def depth_by_block(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return throughput in images a second by depth (rows) and kind of network (columns), of sound and right cases.

    Rows are split by whatever else differs between the cases, and those of settings with a single model, which has
    nothing beside it, are left out. A column is a family with its block type; models that share a depth in it, such
    as two ResNeXts of 101 layers, get a column each for that depth.
    """
    sound = frame[(frame["status"] == "ok") & frame["equality"].ne("wrong") & frame["depth"].notna()].copy()
    axes = [axis for axis in ("run", *AXES) if axis != "model"]
    # What an imported source does not tell, such as threads, is alike among its cases: pandas would drop them.
    sound = sound[sound.groupby(axes, dropna=False)["model"].transform("nunique") > 1]
    conditions = _varying(sound, axes)
    block = sound["block"].fillna("").str.removeprefix("preact_")  # the family says it
    sound["kind"] = (sound["family"].fillna("unknown") + " " + block).str.strip()
    crowded = sound.groupby(["kind", "depth"])["model"].transform("nunique") > 1
    sound["kind"] = sound["kind"].mask(crowded, sound["kind"] + ": " + sound["model"])
    pivot = sound.set_index([*conditions, "depth", "kind"])["throughput_img_per_s"].unstack("kind")  # noqa: PD010
    return pivot.sort_index()


def speedups(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return the speed-up over fp32, eager, nchw by model (rows) and precision, runtime and layout (columns).

    Rows are split by whatever else differs between the cases; only sound cases count, and the baseline, which is 1
    by definition, is left out.
    """
    arms = list(BASELINE)
    baseline = frame[arms].eq(list(BASELINE.values())).all(axis=1)
    sound = frame[(frame["status"] == "ok") & frame["speedup"].notna() & ~baseline]
    conditions = _varying(sound, [axis for axis in ("run", *AXES) if axis not in {"model", *arms}])
    return sound.set_index(["model", *conditions, *arms])["speedup"].unstack(arms).sort_index()  # noqa: PD010


def _varying(frame: "pd.DataFrame", columns: Sequence[str]) -> list[str]:
    return [column for column in columns if len(frame[column].drop_duplicates()) > 1]
