"""The throw-away record kind ``curve`` is known. Runs in a copy: see tests/registries/test_recipes.py."""

import json
import zlib

import pytest
from results.schema.lines.curve import Curve

import reports
import results
from bench.process.messages import LearnCurve
from bench.process.protocol import answer_of, message_of, reply_to
from bench.worker.serve import WorkerServer
from results.storage.writer import Writer

CURVE = Curve(model="resnet50", accuracy=(0.1, 0.5, 0.7))


@pytest.fixture
def path(tmp_path, make_run, make_record, make_static):
    """A run file with a record and a curve."""
    record = make_record()
    with Writer.create(tmp_path, make_run(plan=[record.case])) as writer:
        for body in (make_static(), record, CURVE):
            writer.append(body)
        writer.end("complete")
        return writer.path


def test_a_file_gives_it_back(path):
    (file,) = results.load(path).files
    assert file.complete
    assert file.problems == file.notes == ()
    assert file.bodies("curve") == (CURVE,)
    assert len(file.records) == 1


def test_a_worker_makes_it(tmp_path, make_run):
    request = LearnCurve(model="resnet50", epochs=2)
    reply = json.loads(json.dumps(reply_to(message_of(request), WorkerServer())))
    with Writer.create(tmp_path, make_run()) as writer:
        writer.append(answer_of(request, reply).curve)
    assert results.load(writer.path).files[0].bodies("curve") == (Curve(model="resnet50", accuracy=(0.0, 0.5)),)


def test_a_damaged_body_is_reported_and_the_rest_is_read(path):
    lines = path.read_text().splitlines()
    number = next(number for number, line in enumerate(lines) if '"curve"' in line)
    rest = lines[number].replace("0.5", '"half"')[len('{"crc32":"00000000",') :]
    lines[number] = f'{{"crc32":"{zlib.crc32(rest.encode()):08x}",{rest}'
    path.write_text("".join(f"{line}\n" for line in lines))
    (file,) = results.load(path).files
    assert file.bodies("curve") == ()
    assert len(file.records) == 1
    assert any("curve" in problem and "accuracy" in problem for problem in file.problems)


def test_a_kind_of_a_newer_version_is_kept_and_named(path):
    path.write_text(path.read_text().replace('"kind":"curve"', '"kind":"curl"'))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    texts = [json.dumps({key: line[key] for key in ("line", "kind", "body")}, separators=(",", ":")) for line in lines]
    path.write_text("".join(f'{{"crc32":"{zlib.crc32(text[1:].encode()):08x}",{text[1:]}\n' for text in texts))
    (file,) = results.load(path).files
    assert file.complete
    assert file.bodies("curl") == ({"model": "resnet50", "accuracy": [0.1, 0.5, 0.7]},)
    assert not file.problems
    (note,) = file.notes
    assert "1 line of kind 'curl'" in note


def test_the_page_draws_it(path, tmp_path, write_run, make_record, make_run):
    page = reports.build(results.load(path), tmp_path / "page.html").read_text()
    assert "3 epochs were learned." in page
    record = make_record()
    other = write_run(tmp_path, [record], run=make_run(plan=[record.case], run_id="other"))
    assert "no run has a curve" in reports.build(results.load(other), tmp_path / "other.html").read_text()
