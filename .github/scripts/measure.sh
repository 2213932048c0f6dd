#!/usr/bin/env bash
# Measure on this machine.
#
# usage: measure.sh FOLDER
#
# SUITE is a built-in suite or a TOML file, RUN_ARGS more options of `resnet-bench run`; one of them may be empty.
# The run file goes to FOLDER as the cases come, so it is there for an upload whatever happens.
set -euo pipefail

read -ra run_args <<<"${RUN_ARGS:-}"
resnet-bench run ${SUITE:+"$SUITE"} "${run_args[@]}" --no-report --out "$1"
