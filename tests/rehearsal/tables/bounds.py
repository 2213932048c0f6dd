"""Bounds of the steps on a GPU; a number without an interval is shown and not judged."""

from typing import Final

from tests.rehearsal.readings import (
    arms_ratio,
    arms_spread,
    clock_median,
    clock_span,
    count_cases,
    count_status,
    count_unchecked,
    count_warnings,
    events_over_wall,
    fact,
    grown,
    latency,
    physics,
    ratio,
    sum_fact,
    throughput,
    worst_error,
)
from tests.rehearsal.verdicts import Bound

LEFT_MB: Final = 64
"""MB that the device may keep after a killed worker, and after the whole rehearsal."""
AMP_FP16: Final = {"precision": "amp-fp16", "layout": "nhwc"}
AMP_BF16: Final = {"precision": "amp-bf16", "layout": "nhwc"}


def measured(step: str) -> tuple[Bound, ...]:
    """Return the bounds of every run of the harness."""
    return (
        Bound(what="share of the plan with a record", read=count_cases(step), low=1, high=1),
        Bound(what="cases that failed", read=count_status(step, "ok", "unsupported", other=True), high=0),
        Bound(what="unsupported cases", read=count_status(step, "unsupported")),
        Bound(what="largest error / allowed", read=worst_error(step), high=0.7),
        Bound(what="results not checked", read=count_unchecked(step)),
        Bound(what="events / wall clock", read=events_over_wall(step), high=1.02),
        Bound(what="broken labels", read=count_warnings(step, "label"), high=0),
    )


FACTS: Final = (
    Bound(what="missing packages", read=fact("missing_packages")),
    Bound(what="questions that NVML does not answer", read=fact("unanswered")),
    Bound(what="torch's UUID is NVML's", read=fact("same_uuid"), low=1, high=1),
    Bound(what="torch is built for this GPU", read=fact("built_for_this"), low=1, high=1),
    Bound(what="load held by the power limit", read=fact("held_share.power"), unit="%", times=100),
)
PHYSICS: Final = (
    Bound(what="P1 two marks a step", read=physics("P1", "two_marks_s"), high=10, unit="µs", times=1e6),
    Bound(what="P1 smallest interval", read=physics("P1", "interval_s"), unit="µs", times=1e6),
    *(
        Bound(
            what=f"P2 {role}: turns of {size}, over the plateau",
            read=physics(f"P2/{role}", f"harness_{size}"),
            low=None if role == "single" else -0.5,
            high=None if role == "single" else 0.5,
            unit="%",
            times=100,
        )
        for role in ("large", "small", "single")
        for size in (1, 2, 5)
    ),
    Bound(what="P2 large: turns of 1, by hand, idle queue", read=physics("P2/large", "after_1"), unit="%", times=100),
    Bound(what="P2 large: turns of 1, by hand, busy queue", read=physics("P2/large", "behind_1"), unit="%", times=100),
    Bound(what="P3 slow steps after gaps ≤ 0.1 s", read=physics("P3", "slow_after_short_gaps"), high=1),
    Bound(what="P3 slow steps after any gap", read=physics("P3", "slow_after_long_gaps")),
    Bound(what="P3 lowest / highest SM clock", read=clock_span("P3", "sm_mhz")),
    Bound(what="P4 sustained / plateau", read=physics("P4", "sustained"), low=0.99, high=1.01),
    Bound(what="P4 power", read=clock_median("P4", "power_w"), unit="W"),
    Bound(what="P4 SM clock", read=clock_median("P4", "sm_mhz"), unit="MHz"),
    *(
        Bound(
            what=f"P5 {precision}: cold / warm peak",
            read=physics(f"P5/{precision}", "cold_over_warm"),
            low=0.9,
            high=1.1,
        )
        for precision in ("fp32", "tf32", "amp-bf16")
    ),
    Bound(what="P5 warm peak, bf16", read=physics("P5/amp-bf16", "warm_flops_per_s"), unit="TFLOP/s", times=1e-12),
    Bound(what="P5 copying", read=physics("P5/copy", "bytes_per_s"), unit="GB/s", times=1e-9),
    *(
        Bound(
            what=f"P6 {mode}: error of a {what}",
            read=physics(f"P6/{mode}", what),
            low=0 if mode == "fp32" else 1e-4,
            high=2e-6 if mode == "fp32" else 2e-3,
        )
        for mode in ("fp32", "tf32")
        for what in ("matmul", "convolution")
    ),
    Bound(
        what="M1 memory outside the allocator",
        read=physics("M1", "outside_bytes"),
        low=0.3,
        high=0.7,
        unit="GB",
        times=1e-9,
    ),
)
INFERENCE: Final = (
    *measured("inference"),
    Bound(
        what="latency, 8 live arms / plateau",
        read=ratio(latency("inference", **AMP_BF16), physics("P2/large", "plateau_s")),
        low=0.99,
        high=1.01,
    ),
    *(
        Bound(what=f"cases with the warning {kind}", read=count_warnings("inference", kind))
        for kind in ("power-capped", "throttled", "clocks-moved", "host-bound")
    ),
    Bound(what="cases with the warning shared-gpu", read=count_warnings("inference", "shared-gpu"), high=0),
)
TIMM: Final = {
    name: (Bound(what="throughput", read=physics(f"timm-like/{name}", "images_per_s"), unit="images/s"),)
    for name in ("off", "on", "on-512", "training")
}
"""Bounds of every step of the loop like timm's, by its name."""
AUTOTUNER_OFF: Final = (
    Bound(
        what="harness / loop",
        read=ratio(throughput("inference", **AMP_FP16), physics("timm-like/off", "images_per_s")),
        low=0.98,
        high=1.02,
    ),
    Bound(
        what="peak memory, harness / loop",
        read=ratio(
            sum_fact("inference", "peak_allocated_bytes", **AMP_FP16),
            physics("timm-like/off", "peak_allocated_bytes"),
        ),
        low=0.98,
        high=1.02,
    ),
)
AUTOTUNER_ON: Final = (
    Bound(
        what="autotuner on / off",
        read=ratio(physics("timm-like/on", "images_per_s"), physics("timm-like/off", "images_per_s")),
    ),
)
AUTOTUNE: Final = (
    *measured("autotune"),
    Bound(
        what="harness / loop, autotuner on",
        read=ratio(throughput("autotune", runtime="eager:autotune"), physics("timm-like/on", "images_per_s")),
        low=0.98,
        high=1.02,
    ),
)
COMPILE: Final = (
    *measured("compile"),
    Bound(what="graph breaks", read=sum_fact("compile", "graph_breaks"), high=0),
    Bound(what="recompilations", read=sum_fact("compile", "recompiles"), high=0),
    Bound(what="compile", read=sum_fact("compile", "compile_s", runtime="compile"), unit="s"),
    Bound(
        what="compile:reduce-overhead",
        read=sum_fact("compile", "compile_s", runtime="compile:reduce-overhead"),
        unit="s",
    ),
)
AB: Final = (
    Bound(what="b / a, which are the same", read=arms_ratio("ab"), low=0.99, high=1.01),
    Bound(what="spread of a pair", read=arms_spread("ab"), unit="%", times=100),
    Bound(
        what="latency, 8 live arms / 2 live arms",
        read=ratio(latency("inference", **AMP_BF16), latency("ab", **AMP_BF16)),
        low=0.99,
        high=1.01,
    ),
)
OUT_OF_MEMORY: Final = (
    Bound(
        what="batch 4096 is out of memory",
        read=count_status("out-of-memory", "out-of-memory", batch_size=4096),
        low=1,
        high=1,
    ),
    Bound(what="batch 1 is fine", read=count_status("out-of-memory", "ok", batch_size=1), low=1, high=1),
)
KILL: Final = (
    Bound(what="kill -9 is a crash", read=physics("kill", "crashes"), low=1, high=1),
    Bound(what="steps of the next worker", read=physics("kill", "steps_of_next_worker"), low=3, high=3),
)
GIVEN_BACK: Final = (
    Bound(what="memory of a worker", read=physics("kill", "worker_bytes"), unit="MB", times=1e-6),
    Bound(what="memory not given back", read=physics("kill", "left_bytes"), high=LEFT_MB, unit="MB", times=1e-6),
)
TRACES: Final = (
    Bound(what="convolutions named, eager", read=physics("trace/eager", "convolutions"), low=19),
    Bound(what="convolutions named, compile", read=physics("trace/compile", "convolutions")),
)
LEFT: Final = (
    Bound(what="memory left on the GPU", read=grown("used_bytes"), high=LEFT_MB, unit="MB", times=1e-6),
    Bound(what="processes left on the GPU", read=grown("processes"), high=0),
)
