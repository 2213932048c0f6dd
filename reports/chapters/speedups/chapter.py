"""The chapter on speed-ups by precision, runtime and layout."""

from typing import Any, Final

from reports.chapters.speedups import break_even, chains, heat, preparation
from reports.figures import waterfall
from reports.figures.chart import MOST_BARS, Chapter, Chart, Insert, Source
from reports.figures.heatmap import speedup_map
from reports.style.rows import each
from reports.style.views import BASELINE_TEXT, CONDITIONS, CONTEXT, setting
from reports.style.words import WRONG_RESULT


def _wrong(source: Source) -> dict[str, Any]:
    """Return the cases whose results are wrong: variant, setting and cause."""
    wrong = source.cases[source.cases["status"].eq(WRONG_RESULT)]
    return {"wrong": [(row.model, setting(row), row.cause) for row in each(wrong)]}


CHAPTER: Final = Chapter(
    title="Speed-ups",
    lead="Speed-ups of precision, runtime and layout, the part of each change, and when compiling pays off.",
    intro=Insert(template="speedups/chapter.html", values=_wrong),
    charts={
        "speedups": Chart(
            title="Speed-up by precision, runtime and layout",
            definition=(
                "Baseline latency over the case's latency, both timed in turn in the same minutes: 2 is "
                f"twice as fast as {BASELINE_TEXT} on the same model, batch, device and threads. Blue "
                "is faster, orange slower, grey a 95 % interval that includes 1; a cross is a "
                "case that failed."
            ),
            absent=f"no case was measured together with its baseline, {BASELINE_TEXT}",
            rows=heat.tried,
            by=CONDITIONS,
            most=MOST_BARS,
            draw=speedup_map,
            takeaway=heat.of_speedups,
            columns=("model", *CONTEXT, "latency_s", "speedup"),
            least=1,
        ),
        "waterfall": Chart(
            title="Which change gave what",
            frame=chains.chain_steps,
            definition=(
                f"From {BASELINE_TEXT} to a case: each bar is the factor of a change on top of the changes before "
                "it, so the order matters, and it is always layout, runtime, precision. The factors multiply to the "
                "total, hence the logarithmic axis; whiskers are 95 % intervals of each step alone. At most 60 "
                "cases are offered: the best of each variant, task and machine first."
            ),
            absent=(
                f"no case differs from {BASELINE_TEXT} in two or three ways, each of which was also measured alone"
            ),
            rows=chains.largest,
            by=("model", *CONTEXT),
            draw=waterfall.waterfall,
            takeaway=chains.of_chain,
            columns=("model", *CONTEXT, "step", "change", "before", "after", "factor", "total", "reason"),
            own=chains.CHAIN_COLUMNS,
            least=1,
            ordered=True,
        ),
        "preparation": Chart(
            title="What a preparation takes",
            definition=(
                "Seconds until a runtime is ready beyond a steady step: cold in a first process, warm where the "
                "artefacts of an earlier process are there. The table has the parts: export, conversion, build, load."
            ),
            absent="no case with a preparation has a result",
            rows=preparation.prepared,
            by=CONDITIONS,
            draw=preparation.preparation_bars,
            takeaway=preparation.of_preparation,
            columns=(
                "model",
                *CONTEXT,
                *("compile_s", "warm_compile_s", "export_s", "convert_s", "build_s", "load_s", "artefact_bytes"),
            ),
            least=1,
        ),
        "break_even": Chart(
            title="When compiling pays",
            frame=break_even.break_evens,
            definition=(
                "Seconds of compilation over the seconds that a compiled step saves: after so many steps the "
                "compiled case has overtaken the eager case. Cold is from an empty cache, warm is another process "
                "with the artefacts of an earlier compilation. Lines are 95 % intervals, from that of the ratio to "
                "eager; an arrow reaches to never."
            ),
            absent="no run holds a case both compiled and eager, with the time of its compilation",
            rows=break_even.known,
            by=("machine", "task"),
            draw=break_even.break_even,
            takeaway=break_even.of_break_even,
            columns=("model", *CONTEXT, "compile_s", "gain", "cold_steps", "warm_steps"),
            own=break_even.BREAK_EVEN_COLUMNS,
            least=1,
        ),
    },
)
