import pytest

from bench.machine import cpu
from bench.schedule.racing.bounds import is_heavy
from bench.schedule.racing.candidates import candidates, possible, precisions, runtimes


@pytest.fixture
def cpu_with(monkeypatch):
    return lambda *flags: monkeypatch.setattr(cpu, "cpu_flags", lambda: flags)


def made(**more):
    usual = {"task": "inference", "batches": (1,), "device": "cpu", "threads": (2,), "axes": {}}
    return candidates(("resnet18",), **{**usual, **more})


def test_a_cpu_is_tried_with_bf16_only_where_it_computes_with_it(cpu_with):
    cpu_with("avx2")
    assert precisions("cpu") == ("fp32",)
    cpu_with("avx2", "avx512_bf16")
    assert precisions("cpu") == ("fp32", "amp-bf16")
    assert "tf32" in precisions("cuda:0")


def test_the_baseline_is_first_and_compilers_are_last(cpu_with):
    cpu_with("avx512_bf16")
    cases = made()
    assert cases[0] == cases[0].baseline
    heavy = [is_heavy(case) for case in cases]
    assert heavy == sorted(heavy)
    assert len(set(cases)) == len(cases)


def test_only_what_runtimes_declare_is_tried(cpu_with):
    cpu_with("avx512_bf16")
    cases = made()
    assert {case.runtime for case in cases} >= {"eager", "export", "aot-inductor", "onnxruntime", "openvino"}
    assert not {case.runtime for case in cases} & {"tensorrt", "eager:autotune", "compile:max-autotune"}
    assert {case.layout for case in cases if case.runtime == "openvino"} == {"nchw"}
    assert {case.precision for case in cases if case.runtime == "onnxruntime"} == {"fp32"}
    assert all(map(possible, cases))


def test_training_has_the_runtimes_that_train():
    assert set(runtimes("training")) >= {"eager", "compile"}
    assert not set(runtimes("training")) & {"openvino", "export", "compile:freezing"}


def test_given_axes_replace_those_of_the_machine_and_the_baseline_stays(cpu_with):
    cpu_with("avx512_bf16")
    cases = made(axes={"runtime": ["openvino"], "precision": ["amp-bf16"], "layout": ["nchw"]}, batches=(1, 8))
    assert [(case.runtime, case.batch_size) for case in cases] == [
        ("eager", 1), ("eager", 8), ("openvino", 1), ("openvino", 8),
    ]  # fmt: skip


def test_only_runtimes_with_a_quantizer_are_tried_in_8_bits(cpu_with):
    cpu_with("avx512_vnni")
    cases = made(axes={"precision": ["int8"]})
    assert {case.runtime for case in cases if case.precision == "int8"} == {
        "onnxruntime",
        "openvino",
        "compile:freezing",
    }
