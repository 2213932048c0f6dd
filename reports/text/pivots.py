"""Pivots of the frame of `results.table`."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from results.image_size import pixels
from results.metrics.table import usable
from results.schema.axes import AXES, BASELINE, SIZES

_MODEL: Final = tuple(name for name, axis in AXES.items() if axis.role == "model")


def depth_by_block(frame: pd.DataFrame) -> pd.DataFrame:
    """Return throughput in images a second by depth (rows) and kind of network (columns), of correct cases.

    Rows are split by the axes on which the cases differ; settings with a single model are left out, as they compare
    nothing. A column is a family with its block type; models of a family with the same depth, such as two ResNeXts of
    101 layers, get separate columns for that depth.
    """
    sound = _ordered(frame[usable(frame) & frame["depth"].notna()])
    axes = [axis for axis in ("run", *AXES) if axis not in _MODEL]
    # dropna=False: an imported source may not state an axis, such as threads, and pandas would drop its rows.
    sound = sound[sound.groupby(axes, dropna=False, observed=True)["model"].transform("nunique") > 1]
    conditions = _varying(sound, axes)
    block = sound["block"].fillna("").str.removeprefix("preact_")  # the name of the family includes it
    sound["kind"] = (sound["family"].fillna("unknown") + " " + block).str.strip()
    crowded = sound.groupby(["kind", "depth"])["model"].transform("nunique") > 1
    sound["kind"] = sound["kind"].mask(crowded, sound["kind"] + ": " + sound["model"])
    pivot = sound.set_index([*conditions, "depth", "kind"])["throughput_img_per_s"].unstack("kind")  # noqa: PD010
    return pivot.sort_index()


def speedups_by_setting(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the speed-up over the baseline by model (rows) and settings (columns), of cases with a speed-up.

    Rows are split by the other axes on which the cases differ. The baseline, which is 1 by definition, is left out.
    """
    settings = list(BASELINE)
    baseline = frame[settings].eq(list(BASELINE.values())).all(axis=1)
    sound = _ordered(frame[usable(frame) & frame["speedup"].notna() & ~baseline])
    conditions = _varying(sound, [axis for axis in ("run", *AXES) if axis not in {*_MODEL, *settings}])
    shown = [name for name in settings if not AXES[name].silent_default or set(sound[name]) - {AXES[name].default}]
    return sound.set_index([*_MODEL, *conditions, *shown])["speedup"].unstack(shown).sort_index()  # noqa: PD010


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of the frame in which the sizes of images, whole numbers or text, are in the order of pixels."""
    sizes = {axis: sorted(set(frame[axis]), key=pixels) for axis in SIZES}
    return frame.assign(**{axis: pd.Categorical(frame[axis], values, ordered=True) for axis, values in sizes.items()})


def _varying(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    return [column for column in columns if len(frame[column].drop_duplicates()) > 1]
