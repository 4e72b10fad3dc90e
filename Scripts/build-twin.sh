#!/usr/bin/env bash
# Builds the RTL twin of one systolic array and prints the path of the binary.
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
exec Scripts/verilate.sh "$dataflow-${rows}x$columns-$4-$latency-$width-$fault" "${dataflow}_twin" \
  Targets/rtl/harness/twin.cpp "${sources[@]}" \
  -- ROWS="$rows" COLUMNS="$columns" VARIANT="$variant" LATENCY="$latency" DATA_WIDTH="$width" FAULT="$fault" \
  -- ROWS="$rows" COLUMNS="$columns" DATA_WIDTH="$width" DATAFLOW="$kind"
