#!/usr/bin/env bash
# Measure two checkouts in turn, once for each line of CASES, which holds options of `resnet-bench ab`.
#
# usage: ab.sh BASE HEAD FOLDER
#
# Leaves the run files in FOLDER, and appends what they show to GITHUB_STEP_SUMMARY. AB_ARGS holds options for all lines.
# The exit code is the worst: 2 bad input (or anything unforeseen), then 1 regression, 3 inconclusive, 0 pass.
set -euo pipefail

base=$1 head=$2 runs=$3
read -ra ab_args <<<"${AB_ARGS:-}"

ranks=([0]=0 [3]=1 [1]=2) # by exit code; whatever else is the worst
worst=0
measured=0
while IFS= read -r line <&3; do
  read -ra options <<<"$line"
  ((${#options[@]})) || continue
  code=0
  resnet-bench ab "${options[@]}" "${ab_args[@]}" --checkout-a "$base" --checkout-b "$head" --out "$runs" || code=$?
  [[ -n ${ranks[$code]:-} ]] || code=2
  ((${ranks[$code]:-3} > ${ranks[$worst]:-3})) && worst=$code
  measured=$((measured + 1))
done 3<<<"${CASES:-}"

if ((!measured)); then
  echo "CASES is empty: give a line of options of \`resnet-bench ab\` for each case" >&2
  exit 2
fi
code=0
resnet-bench compare "$runs" --format github >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}" || code=$?
[[ -n ${ranks[$code]:-} ]] || code=2
((${ranks[$code]:-3} > ${ranks[$worst]:-3})) && worst=$code
if ((worst == 2)); then
  printf '\nAt least one comparison could not be measured; the log says why.\n' >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"
fi
exit "$worst"
