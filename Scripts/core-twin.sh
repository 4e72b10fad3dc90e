#!/usr/bin/env bash
# Builds the register-transfer twin of the core with the given parameters, as in `core-twin.sh ROWS=4 COLUMNS=4`, and prints the path
# of the program. What is built stays in .build/core-twin under the hash of sources and parameters.
set -euo pipefail
cd "$(dirname "$0")/.."
sources=Targets/rtl/core
hash=$( (printf '%s\n' "$@"; verilator --version; cat "$sources"/*.sv "$sources"/harness/main.cpp) | sha256sum | cut -c1-16)
folder=$PWD/.build/core-twin/$hash
if [ ! -x "$folder/core-twin" ]; then
  work=$folder.work-$$
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"
  # The package comes before its users; -Wall with warnings fatal is the lint of what is built.
  if ! verilator --cc --exe --build -j 2 -O3 --x-assign fast --x-initial fast -Wall --top-module pantile_core "${@/#/-G}" \
    --Mdir "$work/obj" -MAKEFLAGS "OPT_FAST=-O2 OPT_SLOW=-O0 OPT_GLOBAL=-O1" -CFLAGS "-ffp-contract=off" \
    "$PWD/$sources/pantile_core_types.sv" \
    $(find "$PWD/$sources" -maxdepth 1 -name '*.sv' -not -name pantile_core_types.sv | LC_ALL=C sort) \
    "$PWD/$sources/harness/main.cpp" -o core-twin > "$work/log" 2>&1; then
    cat "$work/log" >&2
    exit 1
  fi
  mkdir -p "$folder"
  mv "$work/obj/core-twin" "$folder/core-twin"
fi
echo "$folder/core-twin"
