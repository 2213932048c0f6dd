import pytest

from bench.measure.device import Unsupported
from bench.tasks.workload import build
from tests.bench.runtimes.engines import live, small


def test_the_library_is_right_and_a_later_process_only_loads_it(make_case, tmp_path):
    case = small(make_case, runtime="aot-inductor", model="cifar_resnet20", batch_size=1)
    first = live(case, tmp_path)
    assert first.equality.verdict == "equal"
    assert first.finished.facts.build_s > first.finished.facts.load_s > 0
    assert first.finished.facts.artefact_bytes > 4 * 270_000
    again = live(case, tmp_path, check=False)
    assert again.finished.facts.build_s is None
    assert again.ready.first_step_s < first.ready.first_step_s


def test_it_does_not_train(make_case):
    with pytest.raises(Unsupported, match="runs no training"):
        build(small(make_case, runtime="aot-inductor", task="training"))
