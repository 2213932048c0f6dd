import contextlib
import os
import pathlib
import stat

import pytest
from msgspec import structs

import bench
from bench.process import client
from bench.schedule import run as runner
from results.errors import InputError
from results.schema.case import Case
from tests.bench import campaign

EAGER = Case(
    model="cifar_resnet20",
    task="inference",
    batch_size=1,
    image_size=32,
    device="cpu",
    precision="fp32",
    runtime="eager",
    layout="nchw",
    threads=1,
)
COMPILED = structs.replace(EAGER, runtime="compile")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_private_folders_lie_in_the_users_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "of" / "ada"))
    with runner.private_folder() as folder:
        assert pathlib.Path(folder).parent == tmp_path / "of" / "ada"
        assert mode(pathlib.Path(folder)) == 0o700
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(InputError, match="TORCHINDUCTOR_CACHE_DIR"):
        runner.private_folder()


@pytest.mark.parametrize("users", [False, True])
def test_each_case_compiles_into_a_private_folder_that_goes_with_the_run(tmp_path, monkeypatch, users):
    if users:
        monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "users"))
    seen = {}
    prepare = client.WorkerClient.prepare

    def look(self, cache, *arguments, **options):
        folder = pathlib.Path(cache)
        looks = (mode(folder), mode(folder.parent), [path.name for path in folder.iterdir()])
        seen.setdefault((self.case, self.replicate), (folder, looks))
        (folder / "artefact").write_text("left by a compiler")
        return prepare(self, cache, *arguments, **options)

    campaign.prepare(tmp_path / "campaign")
    monkeypatch.setenv(campaign.FOLDER, str(tmp_path / "campaign"))
    monkeypatch.setattr(client.WorkerClient, "prepare", look)
    before = os.umask(0)  # the least private that a user can have
    try:
        with campaign.Server() as server:
            monkeypatch.setattr(runner, "ForkServer", lambda: contextlib.nullcontext(server))
            records = bench.run([EAGER, COMPILED], out=tmp_path, **campaign.QUICK | {"replicates": 2})
    finally:
        os.umask(before)
    assert [record.status for record in records] == ["ok"] * 4
    assert set(seen) == {(case, replicate) for case in (EAGER, COMPILED) for replicate in (0, 1)}
    folders = [folder for folder, _ in seen.values()]
    assert len(set(folders)) == 2
    for case in (EAGER, COMPILED):
        assert seen[case, 0] == (seen[case, 1][0], (0o700, 0o700, []))  # empty for the first worker only
        assert seen[case, 1][1] == (0o700, 0o700, ["artefact"])
    times = {record.replicate: record.facts for record in records if record.case == COMPILED}
    assert [times[0].warm_compile_s, times[1].compile_s] == [None, None]
    assert None not in {times[0].compile_s, times[1].warm_compile_s}
    assert not any(folder.exists() or folder.parent.exists() for folder in folders)
    assert all((folder.parent.parent == tmp_path / "users") == users for folder in folders)
