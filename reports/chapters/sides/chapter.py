"""Two machines, versions or runs."""

from typing import Any, Final

from reports.chapters.sides import differences, frame, orders, relative
from reports.figures.chart import Chapter, Chart, Insert, Source
from reports.style.views import pair_key
from reports.style.words import MARGIN_TEXT

_PAIR: Final = ("a", "b", *frame.BEST_KEYS, "a_setting", "b_setting", "a_throughput", "b_throughput")


def _pairs(source: Source) -> dict[str, Any]:
    return {
        "most": frame.MOST_SIDES,
        "unpaired": max(0, source.cases["machine"].nunique() - frame.MOST_SIDES),
        "diffs": [(pair_key(diff.pair), diff) for diff in differences.differences(source)],
    }


CHAPTER: Final = Chapter(
    title="Hardware and versions side by side",
    lead="The same cases on two machines, or on two versions of the software.",
    intro=Insert(template="sides/chapter.html", values=_pairs),
    charts={
        "relative": Chart(
            title="How many times as fast",
            frame=frame.pairs,
            definition=(
                "Images a second on one side over those on the other, for the same case; where the sides have none "
                "in common, for the fastest case of each. Hollow markers are training. On the same hardware the 95 "
                "% intervals and the verdicts are those of `resnet-bench compare`; on different hardware an "
                "interval brings both latencies' together (half-widths add in squares, in logs), and a case is "
                f"faster or slower where it lies beyond {MARGIN_TEXT} after the same correction for the number of "
                "cases (Holm)."
            ),
            absent="these runs hold no two sides (machines, versions or runs) with a variant in common",
            rows=frame.with_ratio,
            by=("pair",),
            draw=relative.relative_speeds,
            takeaway=relative.of_relative,
            columns=(*_PAIR, "ratio", "verdict", "reason"),
            own=frame.PAIR_COLUMNS,
            least=1,
            ordered=True,
        ),
        "orders": Chart(
            title="Where the order of variants changes",
            frame=frame.pairs,
            definition=(
                "Variants by their images a second, the fastest on top, in the setting that both sides have of most "
                "variants. In colour are at most eight variants of the clearest swaps, in which each of two is the "
                f"faster on one side by more than both intervals and {MARGIN_TEXT}. Kendall's tau is 1 where the "
                "order is the same and -1 where it is reversed."
            ),
            absent="these runs hold no two sides with a variant in common",
            rows=orders.in_one_order,
            by=("pair",),
            draw=orders.orders,
            takeaway=orders.of_orders,
            columns=_PAIR,
            own=frame.PAIR_COLUMNS,
            least=1,
            ordered=True,
        ),
    },
)
