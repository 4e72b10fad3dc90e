#!/usr/bin/env bash
# Builds one RTL twin with Verilator and prints the path of the binary. Results are kept by the hash of the sources and settings, so
# that nothing is built twice.
# Usage: Scripts/verilate.sh NAME TOP HARNESS SOURCE.sv… -- KEY=VALUE…        (KEY=VALUE: parameters of the top module)
#        … -- KEY=VALUE… -- KEY=VALUE…                                       (and macros of the harness)
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$#" -ge 5 ] || { sed -n 's/^# Usage: /usage: /p' "$0" >&2; exit 2; }
settings="$*"
name=$1 top=$2 harness=$3
shift 3
sources=() parameters=() macros=() part=0
for word in "$@"; do
  if [ "$word" = -- ]; then part=$((part + 1)); continue; fi
  case $part in
    0) sources+=("$word") ;;
    1) parameters+=("-G$word") ;;
    2) macros+=("-D$word") ;;
    *) echo "too many parts: '$word'" >&2; exit 2 ;;
  esac
done
hash=$({ verilator --version; echo "$settings"; cat "$0" "${sources[@]}" "$harness"; } | sha256sum | cut -c1-16)
folder=out/cosim/$name-$hash
binary=$folder/twin
if [ ! -x "$binary" ]; then
  mkdir -p out/cosim
  scratch=$(mktemp -d "out/cosim/build.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  verilator --cc --exe -Wall -O3 --prefix Vtwin --top-module "$top" --Mdir "$scratch" -o twin "${parameters[@]}" \
    -CFLAGS "${macros[*]}" "${sources[@]}" "$PWD/$harness" >&2
  # Verilator's own runtime is the same for all twins.
  runtime=out/cosim/runtime-$(verilator --version | sha256sum | cut -c1-16)
  if [ -d "$runtime" ]; then cp "$runtime"/verilated*.[od] "$scratch"; fi
  # The model is what runs; the rest only has to compile soon.
  make -s -C "$scratch" -f Vtwin.mk OPT_FAST=-O2 OPT_SLOW=-O0 OPT_GLOBAL=-O0 twin >"$scratch/make.log" 2>&1 \
    || { cat "$scratch/make.log" >&2; exit 1; }
  if [ ! -d "$runtime" ]; then
    mkdir "$scratch/runtime" && cp "$scratch"/verilated*.[od] "$scratch/runtime"
    mv -T "$scratch/runtime" "$runtime" 2>/dev/null || true  # another build may have been first
  fi
  mkdir -p "$folder"
  mv "$scratch/twin" "$binary"
fi
echo "$binary"
