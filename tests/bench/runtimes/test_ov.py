import pytest
import torch

from bench.machine.cpu import cpu_flags
from bench.measure.device import Unsupported
from bench.tasks.workload import build
from tests.bench.runtimes.engines import live, small

openvino = pytest.importorskip("openvino", reason="the extra openvino is not installed")
BF16 = {"avx512_bf16", "amx_bf16"} & set(cpu_flags())


def test_fp32_is_fp32_and_right_also_where_the_cpu_has_bf16(make_case, tmp_path):
    lived = live(small(make_case, runtime="openvino"), tmp_path)
    facts, ran = lived.finished.facts, lived.finished.ran
    assert lived.equality.verdict == "equal"
    assert (ran.compute_dtypes, ran.autocast) == (("float32",), None)
    assert (ran.batch_size, ran.in_channels, ran.image_size, ran.threads) == (2, 3, 32, 1)
    assert min(facts.export_s, facts.convert_s, facts.build_s) > 0
    assert facts.artefact_bytes > 4 * 270_000


def test_bf16_is_asked_for_and_read_back(make_case, tmp_path):
    case = small(make_case, runtime="openvino", precision="amp-bf16")
    if not BF16:
        with pytest.raises(Unsupported, match="computes in"):
            live(case, tmp_path)
        return
    lived = live(case, tmp_path)
    assert (lived.finished.ran.compute_dtypes, lived.finished.ran.autocast) == (("bfloat16",), "bfloat16")
    assert lived.equality.verdict == "equal"
    assert lived.equality.error > 1e-4  # it really rounded


def test_a_later_process_reads_the_file_of_the_first(make_case, tmp_path):
    case = small(make_case, runtime="openvino")
    live(case, tmp_path, check=False)
    again = live(case, tmp_path, check=False)
    assert again.finished.facts.convert_s is None
    assert again.finished.facts.load_s > 0


def test_other_weights_are_converted_anew(make_case, tmp_path):
    work = build(small(make_case, runtime="openvino"), cache=tmp_path)
    with work.context():
        first = torch.as_tensor(work.step(lambda: None)).clone()
        zeros = {name: torch.zeros_like(tensor) for name, tensor in work.module.state_dict().items()}
        work.prepared.load(zeros)
        second = torch.as_tensor(work.step(lambda: None))
    assert first.abs().sum() > 0
    assert second.abs().sum() == 0
