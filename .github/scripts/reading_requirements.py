# ruff: noqa: INP001 - a script, no package
"""Print what reading run files needs of the project's dependencies, a line each: all but torch and what needs torch."""

import pathlib
import re
import sys
import tomllib

MEASURING = {"fvcore", "nvidia-ml-py", "safetensors", "torch", "torchvision"}

project = tomllib.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]
needed = [line for line in project["dependencies"] if re.split(r"[^\w.-]", line, maxsplit=1)[0] not in MEASURING]
sys.stdout.write("\n".join(needed) + "\n")
