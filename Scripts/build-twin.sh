#!/usr/bin/env bash
# Builds the RTL twin of one systolic array with Verilator and prints the path of the binary. Results are kept by the hash of the
# sources and settings, so that nothing is built twice.
# Usage: Scripts/build-twin.sh ws|os|is ROWS COLUMNS serial|overlapped|skewed PE_LATENCY DATA_WIDTH FAULT
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$#" -eq 7 ] || { sed -n 's/^# Usage: /usage: /p' "$0" >&2; exit 2; }
dataflow=$1 rows=$2 columns=$3 latency=$5 width=$6 fault=$7
case $4 in serial) variant=0 ;; overlapped) variant=1 ;; skewed) variant=2 ;; *) echo "no variant '$4'" >&2; exit 2 ;; esac
case $dataflow in ws) kind=0 ;; os) kind=1 ;; is) kind=2 ;; *) echo "no dataflow '$dataflow'" >&2; exit 2 ;; esac

rtl=Targets/rtl/systolic
case $dataflow in
  ws) sources=("$rtl"/{delay,skew,wave,ws_pe,ws_array,ws_twin}.sv) ;;
  is) sources=("$rtl"/{delay,skew,wave,ws_pe,ws_array,ws_twin,is_twin}.sv) ;;
  os) sources=("$rtl"/{delay,skew,wave,os_pe,os_array,os_twin}.sv) ;;
esac
harness=Targets/rtl/harness/twin.cpp
hash=$({ verilator --version; echo "$@"; cat "$0" "${sources[@]}" "$harness"; } | sha256sum | cut -c1-16)
folder=out/cosim/$dataflow-${rows}x$columns-$4-$latency-$width-$fault-$hash
binary=$folder/twin
if [ ! -x "$binary" ]; then
  mkdir -p out/cosim
  scratch=$(mktemp -d "out/cosim/build.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  verilator --cc --exe -Wall -O3 --prefix Vtwin --top-module "${dataflow}_twin" --Mdir "$scratch" -o twin \
    -GROWS="$rows" -GCOLUMNS="$columns" -GVARIANT="$variant" -GLATENCY="$latency" -GDATA_WIDTH="$width" -GFAULT="$fault" \
    -CFLAGS "-DROWS=$rows -DCOLUMNS=$columns -DDATA_WIDTH=$width -DDATAFLOW=$kind" \
    "${sources[@]}" "$PWD/$harness" >&2
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
