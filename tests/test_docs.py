"""Documents keep their promises: budget of the README, links, commands, sessions of nox, blocks of figures."""

import ast
import itertools
import pathlib
import re
import shlex

import pytest
import typer

from bench import cli
from bench.commands.options import BAD_INPUT, CRASHED, FAILED, INCOMPLETE, INTERRUPTED, OK, PIPE_CLOSED

ROOT = pathlib.Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
FIGURES = ("selftest", "bench-self", "scale")
TREE = ("bench", "resnet", "results", "reports", "tests")

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def prose(document):
    """Return the text without blocks of code."""
    return re.sub(r"^ *```.*?^ *```$", "", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(document):
    """Return the anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(document):
    text = re.sub(r"`[^`]*`", "", prose(document))
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)


def commands(document):
    """Return what follows `resnet-bench`, in blocks of code and inside the text, where it is more than a name."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(document))
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("resnet-bench ")]


def sessions():
    """Return the names of the sessions in the noxfile, which is read and not run: nox need not be installed here."""
    names = set()
    for node in ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8")).body:
        for decorator in getattr(node, "decorator_list", []):
            given = {word.arg: word.value for word in getattr(decorator, "keywords", [])}
            names.add(given["name"].value if "name" in given else node.name)
    return names


def test_readme_keeps_its_budget():
    content = README.read_bytes()
    lines = content.decode().splitlines()
    assert len(content) <= 8_000
    assert len(lines) <= 150
    assert max(map(len, lines)) <= 160


def test_readme_shows_what_it_is_the_command_and_the_picture_first():
    lines = README.read_text(encoding="utf-8").splitlines()
    (command,) = [number for number, line in enumerate(lines) if line.endswith("python -m nox -s bench")]
    (picture,) = [number for number, line in enumerate(lines) if "docs/page.png" in line]
    assert command < picture < 16


@each_document
def test_relative_links_resolve(document):
    broken = []
    for link in links(document):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or not target.is_relative_to(ROOT) or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_index_has_every_document():
    index = set(links(ROOT / "docs" / "README.md"))
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"} <= index


@each_document
def test_commands_are_known_with_their_options(document):
    known = typer.main.get_command(cli.app).commands
    for command, *arguments in commands(document):
        assert command in known, command
        given = [argument for argument in arguments if argument != "…"]
        if given:  # a name alone, as in "`resnet-bench compare` is a gate", is no call
            known[command].make_context(command, given)


@each_document
def test_sessions_of_nox_are_known(document):
    text = document.read_text(encoding="utf-8")
    calls = re.findall(r"nox -s ((?:[a-z][a-z-]*(?: (?!--))?)+)", text)
    named = set(itertools.chain.from_iterable(call.split() for call in calls))
    assert named <= sessions()


def test_arguments_after_nox_bench_are_those_of_run():
    run = typer.main.get_command(cli.app).commands["run"]
    text = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    calls = re.findall(r"nox -s bench -- ([^`#\n]+)", text)
    assert calls
    for call in calls:
        run.make_context("run", shlex.split(call))


def test_exit_codes_are_documented():
    codes = {OK, FAILED, BAD_INPUT, INCOMPLETE, CRASHED, INTERRUPTED, PIPE_CLOSED}
    for name in ("quick-start.md", "comparing.md"):
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == codes


@pytest.mark.parametrize("session", FIGURES)
def test_figures_stand_between_markers(session):
    """A session replaces all between the markers of its rows, so nothing else may stand there."""
    text = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
    blocks = re.findall(rf"<!-- begin: {session} (\S+) -->\n(.*?)<!-- end: {session} \1 -->\n", text, re.DOTALL)
    assert blocks
    for name, block in blocks:
        machine, gap, head, *table = block.splitlines()
        assert machine.startswith(f"`{name}`, on ")
        assert machine.endswith(":")
        assert not gap
        assert head == "| what | must be | measured | promise |"
        assert len(table) > 1
        assert all(line.startswith("| ") or set(line) <= set("|-: ") for line in table)
        assert {re.sub(r"`[^`]*`", "", line).count("|") for line in table} == {5}


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_paths_exist(name):
    """Paths of recipes, in which a `<name>` is free, have their folder."""
    text = (ROOT / name).read_text(encoding="utf-8")
    paths = set(re.findall(r"[\w<>./]+/[\w<>.]*", " ".join(re.findall(r"`([^`\n]+)`", text))))
    kept = {path.partition("<")[0] if "<" in path else path for path in paths if path.split("/")[0] in TREE}
    assert kept
    assert sorted(path for path in kept if not (ROOT / path).exists()) == []


def test_names_of_the_pipeline_exist():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```text\n(run_command .*?)^```$", text, re.DOTALL | re.MULTILINE)
    calls = re.findall(r"^ *(\S.*?)  +(\w+/\S+\.py)  ", block, re.MULTILINE)
    assert len(calls) == len([line for line in block.splitlines() if "──" not in line])
    for names, path in calls:
        code = (ROOT / path).read_text(encoding="utf-8")
        for part in re.findall(r"\w+", names):
            assert re.search(rf"^ *(?:def|class) {part}\b", code, re.MULTILINE), f"{path}: {part}"
