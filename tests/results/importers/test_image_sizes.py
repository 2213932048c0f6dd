import pytest

from results.errors import InputError
from results.importers.image_sizes import foreign_size, row_images
from results.importers.reading import SourceRow


@pytest.mark.parametrize(
    ("value", "size", "channels"),
    [
        (224, 224, None),
        ("224", 224, None),
        ("224.0", 224, None),
        (224.0, 224, None),
        ("224x160", "224x160", None),
        ([224, 160], "224x160", None),
        ((224, 224), 224, None),
        ("(3, 224, 160)", "224x160", 3),
        ([1, 28, 28], 28, 1),
        ("3,224,224", 224, 3),
    ],
)
def test_other_programs_write_a_size_in_several_forms(value, size, channels):
    assert foreign_size(value) == (size, channels)


@pytest.mark.parametrize("value", [True, None, "large", [224], [8, 3, 9, 9], [0, 9, 9], [3, 0, 9], 0, -1, 1.5])
def test_what_is_no_size_is_refused(value):
    with pytest.raises(InputError):
        foreign_size(value)


def test_a_cell_states_the_axes_of_its_images():
    row = SourceRow(file="a.csv", line=7, cells={"a": "(1, 224, 160)", "b": " ", "c": "wide"})
    assert row_images(row, "a") == {"image_size": "224x160", "in_channels": 1}
    assert row_images(row, "b") == row_images(row, "missing") == {}
    with pytest.raises(InputError, match="line 7, c: 'wide' is no image size"):
        row_images(row, "c")
