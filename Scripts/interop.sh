#!/usr/bin/env bash
# Sends the generic text of shipped models through mlir-opt and back: what returns must be what was sent.
# Usage: Scripts/interop.sh path/to/pantile
set -euo pipefail
pantile=${1:?usage: Scripts/interop.sh path/to/pantile}
cd "$(dirname "$0")/.."

find_mlir_opt() {
  local name
  for name in mlir-opt mlir-opt-20 mlir-opt-19 mlir-opt-18 mlir-opt-17 mlir-opt-16; do
    if command -v "$name" >/dev/null 2>&1; then command -v "$name"; return 0; fi
  done
  return 1
}

if ! mlir_opt=$(find_mlir_opt); then
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  echo 'interop: installing mlir-16-tools' >&2
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 -qq update >&2
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends mlir-16-tools >&2
  mlir_opt=$(find_mlir_opt) || { echo 'interop: no mlir-opt after the installation' >&2; exit 2; }
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
for model in Workloads/models/*/*.mlir Workloads/models/*/*.onnx; do
  "$pantile" import "$model" --generic -o "$scratch/sent.mlir" 2>/dev/null
  "$mlir_opt" --allow-unregistered-dialect --mlir-print-op-generic --mlir-print-debuginfo "$scratch/sent.mlir" \
    -o "$scratch/theirs.mlir"
  "$pantile" opt "$scratch/theirs.mlir" --generic -o "$scratch/back.mlir"
  if cmp -s "$scratch/sent.mlir" "$scratch/back.mlir"; then
    echo "same  $model"
  else
    echo "DIFF  $model"
    diff "$scratch/sent.mlir" "$scratch/back.mlir" | cut -c 1-200 | head -n 10 || true
    failed=1
  fi
done
exit "$failed"
