#!/usr/bin/env bash
# Counts the gates of the RTL twins with Yosys (generic CMOS gates, no library) and writes Targets/rtl/gates.csv.
# Cells and transistors compare designs with each other; flip-flops count as cells but not as transistors, wires and memories not
# at all.
# Usage: Scripts/rtl-gates.sh
set -euo pipefail
cd "$(dirname "$0")/.."
Scripts/setup-cosim.sh gates
rtl=Targets/rtl/systolic
table=Targets/rtl/gates.csv
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# count NAME TOP [PARAMETER=VALUE]...
# Yosys 0.23 fails to override parameters of modules with generated registers, so a copy has other defaults.
count() {
  local name=$1 top=$2 setting cells flops transistors
  shift 2
  cp "$rtl"/*.sv "$scratch"
  for setting in "$@"; do
    sed -i -E "s/(parameter (int|bit) ${setting%=*} =) [0-9]+/\1 ${setting#*=}/" "$scratch/$top.sv"
  done
  yosys -q -p "read_verilog -sv $scratch/*.sv; hierarchy -top $top; synth -flatten; tee -o $scratch/stat stat -tech cmos" \
    >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
  cells=$(sed -n 's/^ *Number of cells: *//p' "$scratch/stat" | tail -n 1)
  flops=$(awk '/\$_[S]?DFF/ { sum += $2 } END { print sum + 0 }' "$scratch/stat")
  transistors=$(sed -n 's/^ *Estimated number of transistors: *\([0-9]*\).*/\1/p' "$scratch/stat" | tail -n 1)
  echo "$name,$cells,$flops,$transistors"
}

{
  echo 'design,cells,flip_flops,transistors_without_flip_flops'
  count 'ws_pe int8 serial' ws_pe HAS_SHADOW=0
  count 'ws_pe int8 shadow' ws_pe HAS_SHADOW=1
  count 'ws_pe int8 shadow latency 2' ws_pe HAS_SHADOW=1 LATENCY=2
  count 'ws_pe int16 shadow' ws_pe HAS_SHADOW=1 DATA_WIDTH=16
  count 'os_pe int8 serial' os_pe HAS_OUTPUT=0
  count 'os_pe int8 output register' os_pe HAS_OUTPUT=1
  count 'os_pe int16 output register' os_pe HAS_OUTPUT=1 DATA_WIDTH=16
  for variant in 0:serial 1:overlapped 2:skewed; do
    count "ws_array 4x4 int8 ${variant#*:}" ws_array VARIANT="${variant%:*}"
  done
  for variant in 0:serial 1:overlapped; do
    count "os_array 4x4 int8 ${variant#*:}" os_array VARIANT="${variant%:*}"
  done
  for variant in 0:serial 1:overlapped 2:skewed; do
    count "ws_twin 4x4 int8 ${variant#*:}" ws_twin VARIANT="${variant%:*}"
  done
  for variant in 0:serial 1:overlapped; do
    count "os_twin 4x4 int8 ${variant#*:}" os_twin VARIANT="${variant%:*}"
  done
} >"$table.new"
mv "$table.new" "$table"
echo "$table" >&2
