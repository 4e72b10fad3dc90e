#!/usr/bin/env python3
"""Trains the digits network for an epoch by PyTorch and by `pantile train`, in one order of images, and compares.

    compare-torch-epoch.py PANTILE [LEARNING_RATE]

The order follows from the seed as `Trainer.order` says. Exit 1 when the losses differ by more than 0.1 % or the right answers by more
than 2 of 500 (sums run in another order, so weights differ in their last bits).
"""

import json
import os
import subprocess
import sys

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Workloads", "models", "digits-cnn")
MASK = 2**64 - 1
SEED, BATCH, MOMENTUM = 1, 32, 0.9


def path(name):
    return os.path.join(FOLDER, name)


def order(count, epoch):
    """Fisher and Yates by splitmix64, seeded by FNV-1a-64 of a text."""
    state = 0xCBF29CE484222325
    for byte in f"order {SEED} {epoch}".encode():
        state = ((state ^ byte) * 0x100000001B3) & MASK
    result = list(range(count))
    for last in range(count - 1, 0, -1):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        other = ((z ^ (z >> 31)) >> 1) % (last + 1)
        result[last], result[other] = result[other], result[last]
    return result


def forward(weights, x):
    for name, pools in (("conv1", False), ("conv2", True), ("conv3", True)):
        x = F.relu(F.conv2d(x, weights[name + ".weight"], weights[name + ".bias"], padding=1))
        x = F.max_pool2d(x, 2) if pools else x
    x = F.relu(F.linear(x.flatten(1), weights["fc1.weight"], weights["fc1.bias"]))
    return F.linear(x, weights["fc2.weight"], weights["fc2.bias"])


def by_torch(rate):
    model = onnx.load(path("digits-cnn.onnx"))
    weights = {
        item.name: torch.tensor(numpy_helper.to_array(item).copy(), requires_grad=True) for item in model.graph.initializer}
    images = torch.tensor(np.load(path("training-images.npy")).astype(np.float32))
    labels = torch.tensor(np.load(path("training-labels.npy")).astype(np.int64))
    velocity = {name: torch.zeros_like(value) for name, value in weights.items()}
    chosen, total = order(len(images), 0), 0.0
    for first in range(0, len(images), BATCH):
        part = chosen[first:first + BATCH]
        loss = F.cross_entropy(forward(weights, images[part]), labels[part])
        total += loss.item() * len(part)
        gradients = torch.autograd.grad(loss, list(weights.values()))
        with torch.no_grad():
            for (name, value), gradient in zip(weights.items(), gradients):
                velocity[name] = MOMENTUM * velocity[name] + gradient
                value -= rate * velocity[name]
    answers = forward(weights, torch.tensor(np.load(path("test-images.npy")))).argmax(1)
    return total / len(images), int((answers == torch.tensor(np.load(path("test-labels.npy")))).sum())


def by_pantile(tool, rate):
    output = subprocess.run(
        [
            tool, "train", path("digits-cnn.onnx"), "--images", path("training-images.npy"), "--labels",
            path("training-labels.npy"), "--test-images", path("test-images.npy"), "--test-labels", path("test-labels.npy"),
            "--seed", str(SEED), "--batch", str(BATCH), "--momentum", str(MOMENTUM), "--learning-rate", str(rate), "--json",
            "-",
        ], check=True, capture_output=True, text=True).stdout
    epoch = json.loads(output)["epochs"][0]
    return epoch["loss"], epoch["test_correct"]


def main():
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else 0.01
    expected, found = by_torch(rate), by_pantile(sys.argv[1], rate)
    print(f"an epoch at {rate}: PyTorch loss {expected[0]:.6f}, {expected[1]} right; pantile {found[0]:.6f}, {found[1]} right")
    return 0 if abs(found[0] - expected[0]) <= 1e-3 * expected[0] and abs(found[1] - expected[1]) <= 2 else 1


if __name__ == "__main__":
    sys.exit(main())
