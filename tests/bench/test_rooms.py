import sys

from bench.rooms import ROOMS, ROOMS_FOLDER, Rooms, come_first


def test_each_package_is_found_in_our_folder_and_nothing_else_is():
    for name in ROOMS:
        assert Rooms.find_spec(name).origin == str(ROOMS_FOLDER / name / "__init__.py")
    assert Rooms.find_spec("tests") is None
    assert Rooms.find_spec("json") is None


def test_it_comes_before_the_current_folder(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [object()])
    come_first()
    assert sys.meta_path[0] is Rooms
