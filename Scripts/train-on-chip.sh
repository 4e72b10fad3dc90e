#!/bin/sh
# One epoch of the digits network from random weights, by seed: float32 on the reference kernels, bfloat16 and float16 on the simulated
# chip training-16x16. Prints right answers of 500 test images and the means. Usage: Scripts/train-on-chip.sh [SEED ...]
set -eu
cd "$(dirname "$0")/.."
pantile=${PANTILE:-.build/release/pantile}
data=Workloads/models/digits-cnn
train() {
  "$pantile" train digits-cnn --images "$data/training-images.npy" --labels "$data/training-labels.npy" \
    --test-images "$data/test-images.npy" --test-labels "$data/test-labels.npy" \
    --initialise --learning-rate 0.005 --batch 4 "$@" --json - |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["epochs"][0]["test_correct"])'
}
[ $# -gt 0 ] || set -- 1 2 3 4 5
echo "seed  f32  bf16 on the chip  f16 on the chip"
for seed in "$@"; do
  f32=$(train --seed "$seed")
  bf16=$(train --seed "$seed" --format bf16 --chip training-16x16)
  f16=$(train --seed "$seed" --format f16 --chip training-16x16 --set engines.array0.operands=int8-f16)
  printf '%4d  %3d  %16d  %15d\n' "$seed" "$f32" "$bf16" "$f16"
done | awk '{ print; a += $2; b += $3; c += $4; n += 1 }
  END { printf "mean  %.1f %%  %.1f %%  %.1f %%\n", a / n / 5, b / n / 5, c / n / 5 }'
