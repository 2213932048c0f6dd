import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.errors import InputError
from results.image_size import foreign_size, image_size, network_size, parse_image_size, pixels, sides
from results.schema.types import MOST_SIZE, ImageSize
from results.schema.validation import InvalidError, validated

SIDES = st.integers(1, MOST_SIZE)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("224", 224),
        (" 224 ", 224),
        ("224x224", 224),
        ("224x160", "224x160"),
        ("0224x0160", "224x160"),
        ("160x224", "160x224"),
    ],
)
def test_a_text_is_a_square_or_height_x_width(text, size):
    assert parse_image_size(text) == size
    assert type(parse_image_size(text)) is type(size)


def test_a_detector_gets_its_images_padded_to_whole_strides():
    sizes = [224, 225, "224x160", "100x90", "97x120"]
    assert [network_size(size, "faster-rcnn") for size in sizes] == [224, 256, "224x160", "128x96", 128]
    assert [network_size(size, "classifier") for size in sizes] == sizes


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("224x", "'224x' is no image size: give pixels such as 224, or height x width such as 224x160"),
        ("x160", "'x160' is no image size: give"),
        ("224x160x3", "'224x160x3' is no image size: give"),
        ("224\u00d7160", "is no image size; did you mean '224x160'?"),
        ("224X160", "did you mean '224x160'?"),
        ("224 x 160", "did you mean '224x160'?"),
        ("224*160", "did you mean '224x160'?"),
        ("224,160", "is no image size: give"),
        ("0x10", "0x10: 0 should be a whole number >= 1"),
        ("10x-2", "10x-2: -2 should be a whole number >= 1"),
        ("-224", "-224 should be a whole number >= 1"),
        ("1x2147483649", "1x2147483649: 2147483649 should be a whole number <= 2147483648"),
        ("224.5", "is no image size: give"),
        ("\u0662\u0662\u0664", "is no image size: give"),
        ("", "'' is no image size: give"),
        ("large", "'large' is no image size: give"),
    ],
)
def test_another_text_is_refused_in_a_line(text, why):
    with pytest.raises(InputError) as error:
        parse_image_size(text)
    assert why in str(error.value)


@pytest.mark.parametrize("text", ["9" * 5_000, "x" * 5_000, f"{'9' * 5_000}x1"])
def test_a_long_text_is_refused_in_a_short_line(text):
    with pytest.raises(InputError) as error:
        parse_image_size(text)
    assert len(str(error.value)) < 200


@given(height=SIDES, width=SIDES)
def test_a_size_keeps_its_sides_and_can_be_stored(height, width):
    size = image_size(height, width)
    assert sides(size) == (height, width)
    assert parse_image_size(str(size)) == size == validated(size, ImageSize)
    assert pixels(size) == height * width


@pytest.mark.parametrize("size", ["224x224", "0x5", "05x4", "224", "224x160\n", "99999999999x5", 0, 1.5, True])
def test_an_equal_size_of_another_form_is_never_stored(size):
    with pytest.raises(InvalidError):
        validated(size, ImageSize)


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
