import pytest

from tests.bench.runtimes.engines import live, small


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", "float32"), ("amp-bf16", "bfloat16")])
def test_the_graph_runs_in_the_precision_and_is_right(make_case, tmp_path, precision, dtype):
    lived = live(small(make_case, runtime="export", precision=precision), tmp_path)
    assert lived.finished.ran.compute_dtypes == (dtype,)
    assert lived.equality.verdict == "equal"
    assert lived.finished.facts.export_s > 0
    assert lived.finished.facts.build_s is None
    assert "part" in lived.finished.nulls["build_s"]
    assert "no file" in lived.finished.nulls["artefact_bytes"]
    assert "compile_s" not in lived.finished.nulls  # the parent knows it from the first step
