from results.analysis.convergence.curves import curve_groups, curves
from results.analysis.convergence.quantities import judged_quantities, quantities
from tests.trainings import made_end, made_epochs, made_training


def test_both_quantities_are_judged_together(loaded):
    before, after = (
        curve_groups(curves(loaded(name=name, **options)))[0]
        for name, options in (("a", {}), ("b", {"final": 0.91, "epoch_s": 500.0}))
    )
    pending = quantities(before, after, None, 0.02, 0.002, None)
    assert [each.judged.quantity for each in pending] == ["time to accuracy", "final accuracy"]
    assert [judged.verdict for judged in judged_quantities(pending)] == ["slower", "worse"]
    chances = [each.contrast.p for each in pending]
    corrected = [judged.p for judged in judged_quantities(pending)]
    assert min(corrected) == 2 * min(chances)  # Holm (1979)


def test_a_barrier_leaves_the_accuracy_to_be_judged(loaded):
    before, after = (curve_groups(curves(loaded(name=name)))[0] for name in ("a", "b"))
    time, accuracy = judged_quantities(quantities(before, after, 0.9, 0.02, 0.002, "other hardware"))
    assert (time.verdict, time.reason) == ("inconclusive", "other hardware")
    assert accuracy.verdict == "same"


def stopped(make_case, *, last):
    """Five seeds that somebody stopped at an accuracy."""
    for seed in range(5):
        training = made_training(make_case, seed + 1, seed=seed)
        yield from (training, *made_epochs(training, last=last), made_end(training, "stopped early", epochs=last))


def test_trainings_that_were_stopped_at_an_accuracy_are_judged_below_it_only(loaded, make_case):
    (before,) = curve_groups(curves(loaded(name="a", epoch_s=500.0)))
    (after,) = curve_groups(curves(loaded(*stopped(make_case, last=4), name="b")))
    time, accuracy = judged_quantities(quantities(before, after, 0.87, 0.02, 0.002, None))
    assert time.verdict == "faster"
    assert "--until" in accuracy.reason
    time, _ = judged_quantities(quantities(before, after, 0.93, 0.02, 0.002, None))
    assert (time.verdict, time.new_reached) == ("inconclusive", 0)
    assert "5 trainings were stopped at an accuracy below 93 %" in time.reason
