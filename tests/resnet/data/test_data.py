"""The package as people use it, as its docstring shows."""

import doctest

from resnet import data


def test_the_example_of_the_package_holds():
    result = doctest.testmod(data)
    assert result.attempted > 0
    assert result.failed == 0
