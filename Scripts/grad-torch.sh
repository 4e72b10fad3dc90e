#!/usr/bin/env bash
# Compares gradients of every op, and an epoch of the digits network, with PyTorch: grad-torch.sh CASES SEED. Pantile and its tests
# must be built.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=out/torch
if ! "$folder/bin/python" -c 'import torch, onnx' 2>/dev/null; then
  mkdir -p out
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet 'torch>=2.4,<3' 'numpy>=2,<3' 'onnx>=1.17,<2' >&2
fi
"$folder/bin/python" Scripts/compare-torch.py out/gradients.json "$1" "$2"
PANTILE_GRADIENTS="$PWD/out/gradients.json" \
  "${SWIFT:-swift}" test -c release --skip-build --disable-xctest --filter freshGradientsAreMet
PANTILE_ROOT="$PWD" "$folder/bin/python" Scripts/compare-torch-epoch.py "$PWD/.build/release/pantile"
