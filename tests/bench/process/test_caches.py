import pathlib
import threading

import pytest
from msgspec import structs

from bench.process.caches import Caches


@pytest.fixture
def caches(tmp_path):
    return Caches(tmp_path)


@pytest.fixture
def family(make_case):
    """Cases of two baselines."""
    base = make_case(model="resnet18")
    return [base, structs.replace(base, layout="nhwc"), structs.replace(base, model="resnet50")]


def test_compilers_have_a_private_folder_for_each_case(caches, family):
    folders = [pathlib.Path(caches.compiler(case)) for case in family]
    assert len(set(folders)) == len(family)
    assert [folder.stat().st_mode & 0o777 for folder in folders] == [0o700] * len(family)
    assert caches.compiler(family[0]) == str(folders[0])
    assert caches.references(family[0]) == caches.references(family[1]) != caches.references(family[2])


def test_only_a_compiled_case_without_artefacts_is_cold(caches, make_case):
    eager, compiled = make_case(), make_case(runtime="compile")
    assert not caches.cold(eager)
    assert caches.cold(compiled)
    caches.fill(compiled)
    assert not caches.cold(compiled)


def test_right_results_are_forgotten_and_made_again(caches, family):
    folder = pathlib.Path(caches.references(family[0]))
    (folder / "output").write_text("1")
    caches.forget_references(family[1])
    assert not folder.exists()
    assert caches.references(family[0]) == str(folder)
    assert not list(folder.iterdir())


def test_no_two_cases_share_a_folder_though_several_cards_ask_at_once(caches, make_case):
    cards = [[make_case(device=f"cuda:{index}", batch_size=size) for size in range(1, 201)] for index in range(4)]
    together, folders = threading.Barrier(len(cards), timeout=30), []

    def ask(cases):
        together.wait()
        folders.extend([caches.compiler(case) for case in cases])

    threads = [threading.Thread(target=ask, args=(cases,)) for cases in cards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(folders)) == len(folders) == 800
