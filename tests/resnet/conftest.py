import pytest
import torch


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """Images here are tiny: a second thread waits more than it works, most of all on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
