#!/usr/bin/env bash
# Install resnet-bench from the checkout that this script is in.
#
# usage: install.sh all|reading
#
# "reading" leaves torch out, which takes gigabytes: comparing and drawing need none of it.
# PIP_ARGS holds more arguments for pip, such as another index for torch.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
read -ra pip_args <<<"${PIP_ARGS:-}"

case "${1:-}" in
all)
  python -m pip install "${pip_args[@]}" --editable "$root"
  ;;
reading)
  needed=$(python "$root/.github/scripts/reading_requirements.py" "$root/pyproject.toml")
  mapfile -t requirements <<<"$needed"
  python -m pip install "${pip_args[@]}" "${requirements[@]}"
  python -m pip install "${pip_args[@]}" --no-deps --editable "$root"
  ;;
*)
  echo "usage: install.sh all|reading" >&2
  exit 2
  ;;
esac
