#!/usr/bin/env bash
# Fetch the run files of the last run of this workflow that passed on the branch BRANCH.
#
# usage: base.sh FOLDER
#
# Leaves FOLDER empty, and says why, where there is none: the gate then fails closed. Needs GH_TOKEN with actions: read.
set -euo pipefail

folder=$1
workflow=$(basename "${GITHUB_WORKFLOW_REF%%@*}")
mkdir -p "$folder/download"

# A pull request may come from a fork's branch of the same name; only these events cannot.
id=$(gh run list --repo "$GITHUB_REPOSITORY" --workflow "$workflow" --branch "$BRANCH" --status success --limit 100 \
  --json databaseId,event \
  --jq 'map(select(.event == "push" or .event == "schedule" or .event == "workflow_dispatch"))[0].databaseId // empty')

if [[ -z $id ]]; then
  echo "no run of $workflow has passed on $BRANCH yet"
elif ! gh run download "$id" --repo "$GITHUB_REPOSITORY" --pattern 'run-*' --dir "$folder/download"; then
  echo "the run files of run $id cannot be had; artifacts expire, by default after 90 days"
fi
find "$folder/download" -name '*.jsonl' -exec mv -t "$folder" {} +
