#!/usr/bin/env bash
# Builds the register-transfer twin of the core with the given parameters, as in `core-twin.sh ROWS=4 COLUMNS=4`, and prints the path
# of the program; with `pieces` as the first argument it builds the bench of the pieces. What is built stays in .build/core-twin under the hash of sources and parameters.
set -euo pipefail
cd "$(dirname "$0")/.."
sources=Targets/rtl/core
top=pantile_core
files=$(find "$PWD/$sources" -maxdepth 1 -name '*.sv' -not -name pantile_core_types.sv | LC_ALL=C sort)
main=$PWD/$sources/harness/main.cpp
if [ "${1:-}" = pieces ]; then
  shift
  top=pantile_pieces
  files="$PWD/$sources/pieces/pantile_pieces.sv"
  for piece in address_generator touched_range sequencer channels bank_ports; do files+=" $PWD/$sources/pantile_$piece.sv"; done
  main=$PWD/$sources/pieces/main.cpp
fi
hash=$( (printf '%s\n' "$top" "$@"; verilator --version; cat "$0" "$sources/pantile_core_types.sv" $files "$main") | sha256sum | cut -c1-16)
folder=$PWD/.build/core-twin/$hash
if [ ! -x "$folder/core-twin" ]; then
  work=$folder.work-$$
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"
  # The package comes before its users; -Wall with warnings fatal is the lint of what is built.
  if ! verilator --cc --exe --build -j 2 -O3 --x-assign fast --x-initial fast -Wall --top-module "$top" "${@/#/-G}" \
    --Mdir "$work/obj" -MAKEFLAGS "OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O1" -CFLAGS "-ffp-contract=off" \
    "$PWD/$sources/pantile_core_types.sv" $files "$main" -o core-twin > "$work/log" 2>&1; then
    cat "$work/log" >&2
    exit 1
  fi
  mkdir -p "$folder"
  mv "$work/obj/core-twin" "$folder/core-twin"
fi
echo "$folder/core-twin"
