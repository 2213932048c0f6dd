import pytest
import torch

from bench.measure import precision


@pytest.fixture(autouse=True)
def settings_of_torch():
    """Workers are alone in their process; these tests are not."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    precision.set_tf32(on=False)


@pytest.fixture
def tiny(make_case):
    def tiny(**axes):
        return make_case(**{"model": "cifar_resnet20", "batch_size": 2, "image_size": 32, "threads": 1, **axes})

    return tiny
