"""A GPU without a GPU: what the steps of a rehearsal leave there, made up."""

import json
import pathlib

from msgspec import structs

from results.schema.labels import RUNTIMES
from results.schema.lines.run import Arm
from tests.rehearsal.running import Outcome

PHYSICS = {
    "P1": {"two_marks_s": 5e-6, "interval_s": 1e-6},
    **{
        f"P2/{role}": {
            "plateau_s": 0.02,
            "after_1": 0.01,
            **{f"{k}_{n}": 0 for k in ("harness", "behind") for n in (1, 2, 5)},
        }
        for role in ("large", "small", "single")
    },
    "P3": {"slow_after_short_gaps": 1, "slow_after_long_gaps": 3},
    "P4": {"sustained": 1.0},
    **{f"P5/{name}": {"cold_over_warm": 1.0, "warm_flops_per_s": 6e14} for name in ("fp32", "tf32", "amp-bf16")},
    "P5/copy": {"bytes_per_s": 2.5e12},
    "P6/fp32": {"matmul": 1e-7, "convolution": 1e-7},
    "P6/tf32": {"matmul": 3e-4, "convolution": 3e-4},
    "M1": {"outside_bytes": 5e8},
    **{
        f"timm-like/{name}": {"images_per_s": 256 / 0.02, "peak_allocated_bytes": 200_000_000}
        for name in ("off", "on", "on-512", "training")
    },
    "kill": {"crashes": 1, "steps_of_next_worker": 3, "worker_bytes": 9e8, "left_bytes": 0},
    "trace/eager": {"convolutions": 19},
    "trace/compile": {"convolutions": 19},
}
FACTS = {"missing_packages": 0, "unanswered": 2, "same_uuid": 1, "built_for_this": 1, "held_share": {"power": 0.1}}


class FakeGpu:
    """Leaves what the steps of a rehearsal on a GPU leave, without a GPU."""

    def __init__(self, make_case, make_record, make_run, write_run, make_equality):
        self.case, self.record, self.run, self.write = make_case, make_record, make_run, write_run
        self.equality = make_equality
        self.physics = PHYSICS

    def __call__(self, step, fields, log, limit_s):
        self.out, self.runs = pathlib.Path(fields["out"]), pathlib.Path(fields["runs"])
        log.write_text("")
        if step.name == "facts":
            (self.out / "facts.json").write_text(json.dumps(FACTS))
            clocks = "t_s,sm_mhz,power_w,used_bytes,processes\n1,1980,700,0,0\n2,1980,690,0,0\n"
            (self.out / "clocks.csv").write_text(clocks)
            lines = [{"name": name, "from_s": 0, "to_s": 9, **values} for name, values in self.physics.items()]
            (self.out / "physics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        elif step.argv[:3] == ("-m", "bench", "ab"):
            self._ab(step)
        elif step.argv[:3] == ("-m", "bench", "run"):
            self._run(step)
        return Outcome(step=step.name, state="ended", limit_s=limit_s)

    def _ab(self, step):
        case = self.case(model="resnet50", batch_size=256, device="cuda:0", precision="amp-bf16", layout="nhwc")
        for name in "ab":
            records = [self._record(case, replicate=index) for index in range(3)]
            run = self.run([case], run_id=f"p-{name}", arm=Arm(name=name, pair="p", margin=0.02))
            self.write(self.runs / step.name, records, run=run)

    def _run(self, step):
        argv = step.argv
        options = {
            option.removeprefix("--").replace("-", "_"): argv[argv.index(option) + 1].split(",")
            for option in ("--precision", "--layout", "--runtime", "--batch-size", "--task", "--model")
            if option in argv
        }
        cases = [{}]
        for axis, values in options.items():
            cases = [{**case, axis: int(v) if axis == "batch_size" else v} for case in cases for v in values]
        records = []
        for axes in cases:
            case = self.case(**{"device": "cuda:0", "precision": "fp32", "layout": "nchw", **axes})
            records.append(self._record(case, status="out-of-memory" if case.batch_size == 4096 else "ok"))
        self.write(self.runs / step.name, records, run=self.run([r.case for r in records], run_id=step.name))

    def _record(self, case, *, status="ok", replicate=0):
        checked = None if case.is_baseline or status != "ok" else self.equality()
        more = {"equality": checked} if status == "ok" else {"cause": "CUDA out of memory"}
        made = self.record(
            case, latency_s=case.batch_size * 0.02 / 256, noise=1e-4, status=status, replicate=replicate, **more
        )
        facts = structs.replace(made.facts, recompiles=0 if RUNTIMES[case.runtime].compiles else None)
        return structs.replace(made, facts=facts)
