# ruff: noqa: INP001 - a script, no package
"""Tell a pull request what its run files show: one comment, which later runs update.

usage: comment.py FOLDER

The run files come from the pull request and are not trusted: nothing of them is run, they are read with the code of the
default branch, which checks and escapes them. Which pull request it is comes from GitHub, not from the files. From the
environment: GH_TOKEN, GITHUB_REPOSITORY, and of the workflow's run HEAD_OWNER, HEAD_BRANCH, HEAD_SHA, CONCLUSION,
RUN_URL.
"""

import json
import os
import subprocess
import sys
from typing import Any

BOT = "github-actions[bot]"
MARKER = "<!-- resnet-bench:ab -->"
JUDGED = (0, 1, 3)


def main(folder: str) -> int:
    """Write the comment; returns the exit code."""
    number = pull_request()
    if number is None:
        sys.stdout.write("no open pull request has this commit at its head: it has moved on, or was closed\n")
        return 0
    text = body(folder)
    comment = existing(number)
    repository = os.environ["GITHUB_REPOSITORY"]
    if comment is None:
        api("POST", f"repos/{repository}/issues/{number}/comments", {"body": text})
    else:
        api("PATCH", f"repos/{repository}/issues/comments/{comment}", {"body": text})
    return 0


def pull_request() -> int | None:
    """Return the number of the open pull request whose head is the commit that was measured."""
    head = f"{os.environ['HEAD_OWNER']}:{os.environ['HEAD_BRANCH']}"
    found = api("GET", f"repos/{os.environ['GITHUB_REPOSITORY']}/pulls", fields={"state": "open", "head": head})
    numbers = [one["number"] for one in found if one["head"]["sha"] == os.environ["HEAD_SHA"]]
    return numbers[0] if numbers else None


def body(folder: str) -> str:
    """Return the Markdown of the comment."""
    command = [sys.executable, "-m", "bench", "compare", folder, "--format", "github"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    text = done.stdout
    if done.returncode not in JUDGED or not text.startswith(MARKER):  # it crashed, or was ended
        text = f"{MARKER}\n**Bad input: the run files of the measurement are missing or cannot be read.**\n"
    return f"{text}\nThe check ended as {os.environ['CONCLUSION']}: [log and run files]({os.environ['RUN_URL']}).\n"


def existing(number: int) -> int | None:
    """Return the id of our comment on the pull request; nobody else's is touched, whatever it contains."""
    found = api("GET", f"repos/{os.environ['GITHUB_REPOSITORY']}/issues/{number}/comments", pages=True)
    ours = [one["id"] for one in found if one["user"]["login"] == BOT and MARKER in one["body"]]
    return ours[0] if ours else None


def api(
    method: str,
    path: str,
    content: dict[str, str] | None = None,
    *,
    fields: dict[str, str] | None = None,
    pages: bool = False,
) -> Any:
    """Ask GitHub's REST API through its own command line, which is on every hosted runner."""
    command = ["gh", "api", "--method", method, path]
    command += [word for name, value in (fields or {}).items() for word in ("--raw-field", f"{name}={value}")]
    command += ["--paginate", "--slurp"] if pages else []
    command += ["--input", "-"] if content is not None else []
    given = None if content is None else json.dumps(content)
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(done.stdout)
    return [one for page in answer for one in page] if pages else answer


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
