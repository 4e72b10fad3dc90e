#!/usr/bin/env bash
# Counts the gates of the RTL twins with Yosys (generic CMOS gates, no library) and writes Targets/rtl/gates.csv.
# Cells and transistors compare designs with each other; wires are not counted, memories only where they are flip-flops.
#   transistors_without_flip_flops  gates alone: a flip-flop's enable and reset are part of it
#   transistors_with_flip_flops     enables and resets made of gates, and 24 transistors for each plain D flip-flop. That is an
#     assumption: two latches of two transmission gates and two inverters (16, Yosys' own figure), clock inverters, output inverters.
# Pieces of the core that this Yosys cannot read are named at the end.
# Usage: Scripts/rtl-gates.sh
set -euo pipefail
cd "$(dirname "$0")/.."
Scripts/setup-cosim.sh gates
rtl=Targets/rtl
table=Targets/rtl/gates.csv
flip_flop=24
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/rows"
rows=0

# count NAME TOP [PARAMETER=VALUE]...
# Reads the files in `sources`. Rows are made in the background, as many at a time as there are cores, and kept in order.
# Yosys 0.23 fails to override parameters of modules with generated registers, so a copy has other defaults.
count() {
  rows=$((rows + 1))
  if [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; then wait -n; fi
  measure "$scratch/rows/$(printf %04d "$rows")" "$@" &
}

measure() {
  local row=$1 name=$2 top=$3 setting cells flops plain transistors mapped
  shift 3
  mkdir "$row.d"
  cp "${sources[@]}" "$row.d"
  for setting in "$@"; do
    sed -i -E "s/(parameter (int|bit) ${setting%=*} =) [0-9]+/\1 ${setting#*=}/" "$row.d/$top.sv"
  done
  yosys -q -p "read_verilog -sv -D SYNTHESIS $row.d/*.sv; hierarchy -top $top; synth -flatten; tee -o $row.stat stat -tech cmos; \
    dfflegalize -cell \$_DFF_P_ x; opt_clean; abc -fast; opt_clean; tee -o $row.mapped stat -tech cmos" \
    >"$row.log" 2>&1 || { cat "$row.log" >&2; return 1; }
  cells=$(sed -n 's/^ *Number of cells: *//p' "$row.stat" | tail -n 1)
  flops=$(awk '/\$_[S]?DFF/ { sum += $2 } END { print sum + 0 }' "$row.stat")
  # Yosys adds 16 for a flip-flop without enable and reset, and nothing for others.
  plain=$(awk '$1 ~ /^\$_DFF_[NP]_$/ { sum += $2 } END { print sum + 0 }' "$row.stat")
  transistors=$(sed -n 's/^ *Estimated number of transistors: *\([0-9]*\).*/\1/p' "$row.stat" | tail -n 1)
  mapped=$(sed -n 's/^ *Estimated number of transistors: *\([0-9]*\).*/\1/p' "$row.mapped" | tail -n 1)
  rm -r "$row.d"
  echo "$name,$cells,$flops,$((transistors - 16 * plain)),$((mapped + (flip_flop - 16) * flops))" >"$row"
}

sources=("$rtl"/systolic/*.sv)
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

# Elements by number format (Docs/papers/fp8-int8.md), and the parts of some of them.
sources=("$rtl"/float/*.sv "$rtl"/systolic/delay.sv)
e4m3=(EXPONENT=4 FRACTION=3 HAS_INFINITY=0)
e5m2=(EXPONENT=5 FRACTION=2 HAS_INFINITY=1)
bfloat16=(EXPONENT=8 FRACTION=7 HAS_INFINITY=1)
float16=(EXPONENT=5 FRACTION=10 HAS_INFINITY=1)
sum16=(SUM_EXPONENT=5 SUM_FRACTION=10)
sum32=(SUM_EXPONENT=8 SUM_FRACTION=23)
count 'int_mac int8 int32' int_mac
count 'float_mac e4m3 float16' float_mac "${e4m3[@]}" "${sum16[@]}"
count 'float_mac e4m3 float32' float_mac "${e4m3[@]}" "${sum32[@]}"
count 'fixed_mac e4m3 fixed54' fixed_mac "${e4m3[@]}" SUM_WIDTH=54
count 'float_mac e5m2 float16' float_mac "${e5m2[@]}" "${sum16[@]}"
count 'float_mac e5m2 float32' float_mac "${e5m2[@]}" "${sum32[@]}"
count 'fixed_mac e5m2 fixed82' fixed_mac "${e5m2[@]}" SUM_WIDTH=82
count 'float_mac bfloat16 float32' float_mac "${bfloat16[@]}" "${sum32[@]}" ROUND=1
count 'float_mac float16 float32' float_mac "${float16[@]}" "${sum32[@]}"
for output in 0:serial 1:'output register'; do
  registers=HAS_OUTPUT=${output%%:*} kind=${output#*:}
  count "int_os_pe int8 int32 $kind" int_os_pe "$registers"
  count "float_os_pe e4m3 float16 $kind" float_os_pe "${e4m3[@]}" "${sum16[@]}" "$registers"
  count "float_os_pe e4m3 float32 $kind" float_os_pe "${e4m3[@]}" "${sum32[@]}" "$registers"
  count "fixed_os_pe e4m3 fixed54 $kind" fixed_os_pe "${e4m3[@]}" SUM_WIDTH=54 "$registers"
  count "float_os_pe e5m2 float16 $kind" float_os_pe "${e5m2[@]}" "${sum16[@]}" "$registers"
  count "float_os_pe e5m2 float32 $kind" float_os_pe "${e5m2[@]}" "${sum32[@]}" "$registers"
  count "fixed_os_pe e5m2 fixed82 $kind" fixed_os_pe "${e5m2[@]}" SUM_WIDTH=82 "$registers"
  count "float_os_pe bfloat16 float32 $kind" float_os_pe "${bfloat16[@]}" "${sum32[@]}" ROUND=1 "$registers"
  count "float_os_pe float16 float32 $kind" float_os_pe "${float16[@]}" "${sum32[@]}" "$registers"
done
count 'int_multiply int8' int_multiply
count 'float_multiply e4m3' float_multiply "${e4m3[@]}"
count 'float_multiply e5m2' float_multiply "${e5m2[@]}"
count 'float_multiply bfloat16' float_multiply "${bfloat16[@]}"
count 'float_multiply float16' float_multiply "${float16[@]}"
count 'float_product e4m3 float16' float_product "${e4m3[@]}" "${sum16[@]}"
count 'float_product e4m3 float32' float_product "${e4m3[@]}" "${sum32[@]}"
for part in float_align float_round float_add; do
  count "$part float16" "$part" EXPONENT=5 FRACTION=10
  count "$part float32" "$part" EXPONENT=8 FRACTION=23
done

# Elements of N:M arrays.
sources=("$rtl"/nmsparse/nm_{os,ws}_pe.sv "$rtl"/systolic/delay.sv)
for group in 4:2 8:3 16:4; do
  settings=(GROUP="${group%:*}" INDEX_WIDTH="${group#*:}")
  count "nm_ws_pe group ${group%:*} serial" nm_ws_pe HAS_SHADOW=0 "${settings[@]}"
  count "nm_ws_pe group ${group%:*} shadow" nm_ws_pe HAS_SHADOW=1 "${settings[@]}"
  count "nm_os_pe group ${group%:*} serial" nm_os_pe HAS_OUTPUT=0 "${settings[@]}"
  count "nm_os_pe group ${group%:*} output register" nm_os_pe HAS_OUTPUT=1 "${settings[@]}"
  count "nm_os_pe group ${group%:*} output register 2 contexts" nm_os_pe HAS_OUTPUT=1 CONTEXTS=2 "${settings[@]}"
done

# Bit-serial units: four elements of four lanes; their registers are as wide as the stepper's numbers, not as a chip's.
sources=("$rtl"/bitserial/{term_recoder,serial_unit}.sv)
for encoding in 0:plain 1:magnitude 2:booth 3:naf; do
  count "term_recoder int8 ${encoding#*:}" term_recoder ENCODING="${encoding%:*}"
done
count 'serial_unit 4x4 int8 plain fixed' serial_unit ENCODING=0 POLICY=0 TERMS=8
count 'serial_unit 4x4 int8 booth skip-zero-terms' serial_unit ENCODING=2 POLICY=1 TERMS=4
count 'serial_unit 4x4 int8 inverted-columns' serial_unit ENCODING=1 POLICY=3 TERMS=8

# Pieces of the core, those with packages and vectors of vectors as Scripts/flatten-packed.py rewrites them. The divisions of
# address_generator are too much for Yosys: stopped after four processor minutes and 2.4 GB. touched_range has more of them.
sources=("$rtl"/core/pantile_channels.sv)
count 'pantile_channels 64 channels' pantile_channels CHANNELS=64
sources=("$rtl"/core/pantile_kernel_alu.sv)
count 'pantile_kernel_alu integer operations' pantile_kernel_alu
mkdir "$scratch/flat"
for piece in delay:'1 cycle' bank_ports:'64 banks 5 queues' memory_port:'5 queues' commit:'32 slots'; do
  file=pantile_${piece%%:*}
  Scripts/flatten-packed.py "$rtl/core/pantile_core_types.sv" "$rtl/core/$file.sv" >"$scratch/flat/$file.sv"
  sources=("$scratch/flat/$file.sv")
  count "$file ${piece#*:}" "$file"
done

while [ "$(jobs -rp | wc -l)" -gt 0 ]; do wait -n; done
[ "$(find "$scratch/rows" -name '????' -type f | wc -l)" -eq "$rows" ] || { echo "rtl-gates: not all designs were counted" >&2; exit 1; }
{
  echo 'design,cells,flip_flops,transistors_without_flip_flops,transistors_with_flip_flops'
  cat "$scratch"/rows/????
} >"$table.new"
mv "$table.new" "$table"
for file in "$rtl"/core/pantile_*.sv; do
  name=$(basename "$file" .sv)
  if [ "$name" = pantile_core_types ] || grep -q "^$name " "$table"; then continue; fi
  if ! Scripts/flatten-packed.py "$rtl/core/pantile_core_types.sv" "$file" >"$scratch/flat/$name.sv" 2>"$scratch/log"; then
    reason=$(tail -n 1 "$scratch/log")
  elif ! yosys -q -p "read_verilog -sv -D SYNTHESIS $scratch/flat/$name.sv" >"$scratch/log" 2>&1; then
    reason=$(tail -n 1 "$scratch/log" | sed "s|$scratch/flat/||")
  else
    reason="divisions, see Scripts/rtl-gates.sh"
  fi
  echo "rtl-gates: not counted: $name: $reason" >&2
done
echo "$table" >&2
