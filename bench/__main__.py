"""``python -m bench``: the same as ``resnet-bench``."""

import sys

from bench import rooms

rooms.come_first()  # `python -m` puts the current folder first, which may hold a `results` of the user's

from bench.cli import main  # noqa: E402 - see above

if __name__ == "__main__":
    sys.exit(main())
