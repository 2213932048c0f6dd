import pytest

from bench.machine.arm_parts import IMPLEMENTERS, PARTS, arm_core


@pytest.mark.parametrize(
    ("implementer", "part", "name"),
    [
        ("0x41", "0xd4f", "Neoverse-V2"),
        ("0x4e", "0x004", "Carmel"),
        ("0xc0", "0xac4", "Ampere-1a"),
        ("0x61", "0xfff", "Apple part 0xfff"),
        ("0x99", "0x001", "Arm implementer 0x99 part 0x001"),
        ("?", "0xd40", "Arm implementer ? part 0xd40"),
    ],
)
def test_a_core_is_named_as_by_lscpu_and_an_unknown_core_by_its_numbers(implementer, part, name):
    assert arm_core(implementer, part) == name


def test_every_implementer_of_a_part_has_a_name():
    assert set(PARTS) <= set(IMPLEMENTERS)
