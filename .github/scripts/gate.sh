#!/usr/bin/env bash
# Draw the page of new run files and judge them against those of the base.
#
# usage: gate.sh BASE NEW OUT
#
# Leaves report.html and compare.md in the folder OUT, and appends the latter to GITHUB_STEP_SUMMARY.
# MARGIN is the difference that does not matter. Exit codes are those of `resnet-bench compare`: 0 pass, 1 regression,
# 2 bad input, 3 inconclusive or no base; with ON_INCONCLUSIVE=warn, 3 becomes a warning and 0.
# With ACCEPT=true the new runs become the base whatever came of them, and the exit code is 0.
set -euo pipefail

base=$1 new=$2 out=$3
mkdir -p "$out"
summary="$out/compare.md"

code=0
if ! compgen -G "$new/*.jsonl" >/dev/null; then
  code=2
  echo "**Bad input: there is nothing to judge, for no machine has left a run file.**" >"$summary"
elif ! compgen -G "$base/*.jsonl" >/dev/null; then
  code=3
  cat >"$summary" <<'TEXT'
**Inconclusive: there is no base to compare with.**

No run of this workflow has passed on the default branch yet, or its run files have expired. Look at the page of this
run; if it is sound, run this workflow by hand on the default branch with "accept" switched on. Its run files then are
the base of all later runs.
TEXT
else
  resnet-bench compare "$base" "$new" --margin "${MARGIN:-2%}" --format github >"$summary" || code=$?
  # A crash exits with 70; whatever ends otherwise without a verdict is no verdict either.
  if [[ $code != [013] ]] || ! grep -q '^<!-- resnet-bench:compare -->' "$summary"; then
    code=2
    echo "**Bad input: the run files cannot be compared; the log of this step says why.**" >"$summary"
  fi
fi

if [[ ${ACCEPT:-false} == true && $code != 2 ]]; then
  printf '\nAccepted by hand as the base of later runs (exit code without that: %s).\n' "$code" >>"$summary"
  code=0
elif [[ ${ON_INCONCLUSIVE:-fail} == warn && $code == 3 ]]; then
  echo "::warning::inconclusive, which this repository lets pass; the job summary says why"
  code=0
fi
if [[ $code != 2 ]] && ! resnet-bench report "$new" -o "$out/report.html"; then
  [[ $code == 1 ]] || code=2
  printf '\nThere is no page: it could not be drawn; the log of this step says why.\n' >>"$summary"
fi
cat "$summary" >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"
exit "$code"
