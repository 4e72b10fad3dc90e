#!/usr/bin/env bash
# Measures ResNet-18 (224x224, systolic-16x16): CPU seconds of compiling, of a timing run and of a functional run, each the
# median of three processes, against Benchmarks/thresholds.csv. Exit 1 when a limit is passed.
# Usage: Benchmarks/run.sh path/to/pantile
set -euo pipefail
pantile=${1:?usage: Benchmarks/run.sh path/to/pantile}
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
model=Workloads/models/resnet18/resnet18.mlir
chip=systolic-16x16

# Three processes; --timing makes each say its phases as `phase: N.NNN CPU s`.
for turn in 1 2 3; do
  "$pantile" run "$model" --chip "$chip" --seed 1 --timing 2>"$scratch/$turn" >/dev/null
done

# The median of a phase over the three.
median() { sed -n "s/^$1: \([0-9.]*\) CPU s.*/\1/p" "$scratch"/[123] | sort -g | sed -n 2p; }

failed=0
printf '%-26s %10s %10s %10s\n' 'CPU seconds, median of 3' measured limit aim
while IFS=, read -r measure limit aim; do
  [ "$measure" != measure ] || continue
  phase=${measure#resnet18 }
  value=$(median "$phase")
  [ -n "$value" ] || { echo "no figure for '$measure'" >&2; exit 2; }
  verdict=
  if awk -v a="$value" -v b="$limit" 'BEGIN { exit !(a > b) }'; then verdict='  TOO SLOW'; failed=1; fi
  printf '%-26s %10s %10s %10s%s\n' "$measure" "$value" "$limit" "$aim" "$verdict"
done <Benchmarks/thresholds.csv
exit "$failed"
