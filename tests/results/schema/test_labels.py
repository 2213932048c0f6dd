from results.schema.axes import AXES, BASELINE
from results.schema.labels import CHECKPOINTING, HEADS, LAYOUTS, OPTIMIZERS, PROMISES, RUNTIMES, TASKS


def test_the_choices_of_axes_are_the_declared_labels():
    declared = {
        "grad_checkpointing": CHECKPOINTING,
        "optimizer": OPTIMIZERS,
        "precision": PROMISES,
        "runtime": RUNTIMES,
        "task": TASKS,
        "head": HEADS,
        "layout": LAYOUTS,
    }
    assert {name: axis.choices for name, axis in AXES.items() if axis.choices} == {
        name: tuple(labels) for name, labels in declared.items()
    }


def test_the_baseline_promises_full_precision_and_compiles_nothing():
    promise = PROMISES[BASELINE["precision"]]
    assert (promise.weights, promise.compute, promise.tf32) == ("float32", "float32", False)
    assert not RUNTIMES[BASELINE["runtime"]].compiles


def test_autocast_decides_what_computes():
    assert [PROMISES[name].compute for name in ("amp-bf16", "bf16", "tf32")] == ["bfloat16", "bfloat16", "float32"]
    assert PROMISES["amp-bf16"].weights == "float32"


def test_a_runtime_runs_declared_tasks_and_only_a_compiler_has_a_mode():
    for runtime in RUNTIMES.values():
        assert {*runtime.tasks} <= {*TASKS}
        assert runtime.compiles or runtime.mode is None


def test_a_task_that_trains_has_phases():
    assert all(task.trains == bool(task.phases) for task in TASKS.values())
