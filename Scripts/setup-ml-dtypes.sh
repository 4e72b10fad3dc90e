#!/usr/bin/env bash
# Makes out/ml-dtypes, a Python environment with ml_dtypes from PyPI, and prints its interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=out/ml-dtypes
if ! "$folder/bin/python" -c 'import ml_dtypes' 2>/dev/null; then
  mkdir -p out
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet 'ml_dtypes==0.6.0' 'numpy>=2,<3' >&2
fi
echo "$folder/bin/python"
