from results.analysis.convergence.curves import curve_groups, curves
from results.analysis.convergence.quantities import judged_quantities, quantities


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
