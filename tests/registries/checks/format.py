"""The throw-away export format ``lines`` is known. Runs in a copy: see tests/registries/test_recipes.py."""

from bench.cli import main


def test_the_command_writes_it_and_names_it(tmp_path, capsys, write_run, make_record):
    record = make_record()
    assert main(["export", "lines", str(write_run(tmp_path, [record]))]) == 0
    assert capsys.readouterr().out == f"{record.case.key}\n"
    assert main(["export", "--help"]) == 0
    assert "lines" in capsys.readouterr().out
