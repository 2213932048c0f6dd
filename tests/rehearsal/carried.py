"""The packages of a machine without a package index: what must be carried there, and what is expected there.

Needs nothing but Python: it runs on the bare machine too, where it shows what is missing.
"""

import importlib.metadata
from typing import Final

CARRIED: Final = (
    *("msgspec", "psutil", "nvidia-ml-py", "safetensors"),
    *("typer", "annotated-doc", "shellingham", "pydantic", "pydantic-core", "annotated-types", "typing-inspection"),
    *("fvcore", "iopath", "yacs", "termcolor", "tabulate", "portalocker"),
)
"""Small packages that machines for training often lack: together less than 5 MB of wheels."""
EXPECTED: Final = (
    *("torch", "torchvision", "numpy", "typing-extensions", "pyyaml", "tqdm", "pillow"),
    *("pandas", "scipy", "rich", "jinja2", "pytest", "hypothesis"),
)
"""Large or common packages. Without those of the second line some steps or numbers fail, with their reason."""
_HOW: Final = """\
# Wheels that the rehearsal needs on a machine without a package index; its Python and system decide which.
#   python -m pip wheel --no-deps --wheel-dir wheels -r carried.txt          here, with that machine's Python version
#   python -m pip install --no-index --no-deps --find-links wheels -r carried.txt    there
"""


def requirements() -> str:
    """Return the carried packages in the versions of this interpreter, as a file of requirements."""
    lines = [f"{name}=={installed}" if (installed := _version(name)) else name for name in CARRIED]
    missing = [name for name in (*CARRIED, *EXPECTED) if _version(name) is None]
    note = f"# This interpreter lacks: {', '.join(missing)}\n" if missing else ""
    return f"{_HOW}# Expected there: {', '.join(EXPECTED)}\n{note}" + "\n".join(lines) + "\n"


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
