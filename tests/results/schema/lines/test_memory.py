from tests.reports.text.profiling.test_fit import GIGA, fit


def test_a_process_takes_more_than_its_tensors_and_grows_faster():
    made = fit(growth=2.0)
    assert made.expected_bytes(GIGA // 10) == GIGA // 10 + GIGA // 10
    assert made.expected_bytes(GIGA // 10 + 100) - made.expected_bytes(GIGA // 10) == 200
    assert fit(predictions=(), process_bytes=None).expected_bytes(7) == 7


def test_the_parts_of_a_peak_add_up():
    from tests.profiles import parts  # noqa: PLC0415 - for this test

    assert parts().total == 198_000_000
