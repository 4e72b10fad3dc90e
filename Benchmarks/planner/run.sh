#!/bin/sh
# Validates the tools on small graphs, then prints the comparison table.
# Usage: run.sh PATH_OF_PANTILE [options of compare.py]
# The peers' results come from peers.csv; add --fresh to solve again (more than an hour of CPU).
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
planner=${1:?usage: run.sh PATH_OF_PANTILE [options of compare.py]}
shift
python3 "$here/validate.py" --no-peers --count 60 --planner "$planner"
python3 "$here/compare.py" --planner "$planner" "$@"
