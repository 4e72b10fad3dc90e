#!/usr/bin/env python3
"""Trains the digits network and its 2:4-sparse twin and writes all files of this folder.

    train.py            train and write the files beside this script
    train.py --check    train and compare with the files beside this script; exit 1 when a byte differs

Data: the 1,797 8x8 digits that scikit-learn ships, scaled to [0, 1]. The training is plain numpy. BLAS and numpy run
single-threaded on the SSE kernels that every x86-64-v2 machine has, so that the same bytes come out on all of them.
"""

import os

# Before numpy is imported: fixed kernels, one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OPENBLAS_CORETYPE"] = "Nehalem"
os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"

import argparse
import hashlib
import itertools
import json
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore", category=ImportWarning)

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

SEED = 20
TEST_COUNT = 500
CALIBRATION_COUNT = 100
BATCH = 32
DENSE_EPOCHS = 90
SPARSE_EPOCHS = 45
DENSE_RATE = 2e-3
SPARSE_RATE = 7e-4
KEPT, GROUP = 2, 4

# Convolutions are 3x3 with padding 1, each followed by ReLU; pools are 2x2 with stride 2.
CONVOLUTIONS = [("conv1", 1, 16, False), ("conv2", 16, 32, True), ("conv3", 32, 64, True)]  # name, in, out, pool
HIDDEN = ("fc1", 256, 64)
CLASSIFIER = ("fc2", 64, 10)
SPARSE_LAYERS = ["conv2", "conv3", "fc1"]
FILES = [
    "digits-cnn.onnx",
    "digits-cnn-2of4.onnx",
    "test-images.npy",
    "test-labels.npy",
    "calibration.npy",
    "training-images.npy",
    "training-labels.npy",
    "digits-cnn.json",
]


# Data ---------------------------------------------------------------------------------------------------------------


def load_data():
    """Images [n, 8, 8, 1] float32 in [0, 1] and labels, as (train, calibration, test)."""
    digits = load_digits()
    images = (digits.images / 16.0).astype(np.float32)[..., None]
    labels = digits.target.astype(np.int64)
    order = np.random.default_rng(SEED).permutation(len(labels))
    test = order[:TEST_COUNT]
    calibration = order[TEST_COUNT : TEST_COUNT + CALIBRATION_COUNT]
    train = order[TEST_COUNT + CALIBRATION_COUNT :]
    return [(images[part], labels[part]) for part in (train, calibration, test)]


def shifted(images, random):
    """Each image moved by -1, 0 or 1 pixels in both directions, zeros moved in."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    result = np.empty_like(images)
    offsets = random.integers(0, 3, size=(len(images), 2))
    for i, (y, x) in enumerate(offsets):
        result[i] = padded[i, y : y + 8, x : x + 8]
    return result


# Network, NHWC inside. Conv weights [3, 3, in, out], matrices [in, out]; fc1 takes its input in the order (h, w, c). ----------


def initial_parameters(random):
    parameters = {}
    for name, inputs, outputs, _ in CONVOLUTIONS:
        scale = np.sqrt(2.0 / (9 * inputs))
        parameters[name + ".weight"] = (random.standard_normal((3, 3, inputs, outputs)) * scale).astype(np.float32)
        parameters[name + ".bias"] = np.zeros(outputs, np.float32)
    for name, inputs, outputs in (HIDDEN, CLASSIFIER):
        scale = np.sqrt(2.0 / inputs)
        parameters[name + ".weight"] = (random.standard_normal((inputs, outputs)) * scale).astype(np.float32)
        parameters[name + ".bias"] = np.zeros(outputs, np.float32)
    return parameters


def patches(x):
    """[b, h, w, c] -> [b*h*w, 9*c], taps outside, channels inside."""
    b, h, w, c = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    taps = [padded[:, r : r + h, s : s + w, :] for r in range(3) for s in range(3)]
    return np.stack(taps, axis=3).reshape(b * h * w, 9 * c)


def unpatch(columns, shape):
    """The adjoint of `patches`."""
    b, h, w, c = shape
    columns = columns.reshape(b, h, w, 9, c)
    padded = np.zeros((b, h + 2, w + 2, c), np.float32)
    for r in range(3):
        for s in range(3):
            padded[:, r : r + h, s : s + w, :] += columns[:, :, :, 3 * r + s, :]
    return padded[:, 1:-1, 1:-1, :]


def forward(parameters, x, keep=None):
    """Logits [b, 10]; appends what the backward pass needs to `keep`."""
    for name, _, outputs, pool in CONVOLUTIONS:
        columns = patches(x)
        weight = parameters[name + ".weight"].reshape(-1, outputs)
        y = (columns @ weight + parameters[name + ".bias"]).reshape(*x.shape[:3], outputs)
        y = np.maximum(y, 0)
        pooled = y
        if pool:
            b, h, w, c = y.shape
            pooled = y.reshape(b, h // 2, 2, w // 2, 2, c).max(axis=(2, 4))
        if keep is not None:
            keep.append((x.shape, columns, y, pooled))
        x = pooled
    flat = x.reshape(len(x), -1)
    hidden = np.maximum(flat @ parameters["fc1.weight"] + parameters["fc1.bias"], 0)
    logits = hidden @ parameters["fc2.weight"] + parameters["fc2.bias"]
    if keep is not None:
        keep.append((x.shape, flat, hidden))
    return logits


def gradients(parameters, x, labels):
    """Gradients of the mean cross-entropy."""
    keep = []
    logits = forward(parameters, x, keep)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    delta = exponentials / exponentials.sum(axis=1, keepdims=True)
    delta[np.arange(len(labels)), labels] -= 1
    delta /= np.float32(len(labels))
    result = {}
    shape, flat, hidden = keep.pop()
    result["fc2.weight"], result["fc2.bias"] = hidden.T @ delta, delta.sum(axis=0)
    delta = (delta @ parameters["fc2.weight"].T) * (hidden > 0)
    result["fc1.weight"], result["fc1.bias"] = flat.T @ delta, delta.sum(axis=0)
    delta = (delta @ parameters["fc1.weight"].T).reshape(shape)
    for index in range(len(CONVOLUTIONS) - 1, -1, -1):
        name, _, outputs, pool = CONVOLUTIONS[index]
        shape, columns, y, pooled = keep.pop()
        if pool:
            b, h, w, c = y.shape
            winners = y.reshape(b, h // 2, 2, w // 2, 2, c) == pooled[:, :, None, :, None, :]
            share = winners / winners.sum(axis=(2, 4), keepdims=True, dtype=np.float32)
            delta = (share * delta[:, :, None, :, None, :]).reshape(y.shape)
        delta = (delta * (y > 0)).reshape(-1, outputs).astype(np.float32)
        result[name + ".weight"] = (columns.T @ delta).reshape(parameters[name + ".weight"].shape)
        result[name + ".bias"] = delta.sum(axis=0)
        if index > 0:
            delta = unpatch(delta @ parameters[name + ".weight"].reshape(-1, outputs).T, shape)
    return result


def train(parameters, data, epochs, rate, masks, random, label):
    """Adam with a rate that falls linearly to zero; weights outside the masks stay zero."""
    images, labels = data
    first = {key: np.zeros_like(value) for key, value in parameters.items()}
    second = {key: np.zeros_like(value) for key, value in parameters.items()}
    step, steps = 0, epochs * (len(labels) // BATCH)
    for epoch in range(epochs):
        order = random.permutation(len(labels))
        moved = shifted(images[order], random)
        for start in range(0, len(labels) - BATCH + 1, BATCH):
            batch = slice(start, start + BATCH)
            found = gradients(parameters, moved[batch], labels[order][batch])
            current = rate * (1 - step / steps)
            step += 1
            for key, gradient in found.items():
                if key.endswith(".weight"):
                    gradient = gradient + np.float32(1e-4) * parameters[key]
                first[key] = np.float32(0.9) * first[key] + np.float32(0.1) * gradient
                second[key] = np.float32(0.999) * second[key] + np.float32(0.001) * gradient * gradient
                mean = first[key] / np.float32(1 - 0.9**step)
                deviation = np.sqrt(second[key] / np.float32(1 - 0.999**step)) + np.float32(1e-8)
                parameters[key] = parameters[key] - np.float32(current) * mean / deviation
                if key in masks:
                    parameters[key] = parameters[key] * masks[key]
        print(f"{label}: epoch {epoch + 1} of {epochs}", file=sys.stderr)
    return parameters


# Sparsity -----------------------------------------------------------------------------------------------------------------------


def group_mask(weight):
    """2:4 along the input channels at a fixed tap: the larger magnitudes stay, ties go to the lower channel."""
    taps, inputs, outputs = weight.shape
    groups = np.abs(weight).reshape(taps, inputs // GROUP, GROUP, outputs)
    order = np.argsort(-groups, axis=2, kind="stable")
    mask = np.zeros_like(groups)
    np.put_along_axis(mask, order[:, :, :KEPT], 1, axis=2)
    return mask.reshape(taps, inputs, outputs)


def transposable_mask(weight, pixels):
    """For the layer behind the flattening, [pixels*channels, outputs]: 2:4 along the channels and along the pixels.

    A block of 4 channels and 4 pixels of one output keeps two weights in each row and column, the heaviest of the 90
    ways, so that groups of four are 2:4 whether the flattened order is (h, w, c) or (c, h, w).
    """
    pairs = [[1 if i in pair else 0 for i in range(4)] for pair in itertools.combinations(range(4), 2)]
    patterns = [rows for rows in itertools.product(pairs, repeat=4) if all(sum(column) == 2 for column in zip(*rows))]
    patterns = np.array(patterns, np.float32)  # [90, pixel, channel]
    inputs, outputs = weight.shape
    blocks = np.abs(weight).reshape(pixels, inputs // pixels // 4, 4, outputs)
    best = np.einsum("pgco,qpc->qgo", blocks, patterns, optimize=False).argmax(axis=0)
    return patterns[best].transpose(2, 0, 3, 1).reshape(inputs, outputs)


def sparsity_masks(parameters):
    masks = {}
    for name in SPARSE_LAYERS:
        weight = parameters[name + ".weight"]
        if name == "fc1":
            masks[name + ".weight"] = transposable_mask(weight, pixels=4)
        else:
            mask = group_mask(weight.reshape(9, *weight.shape[2:]))
            masks[name + ".weight"] = mask.reshape(weight.shape)
    return masks


# Evaluation -----------------------------------------------------------------------------------------------------------------------


def correct(parameters, data):
    images, labels = data
    return int((forward(parameters, images).argmax(axis=1) == labels).sum())


def quantised_correct(parameters, calibration, data):
    """Right answers with int8 weights per output channel and int8 activations per tensor, in simulation."""
    rounded = {}
    for key, value in parameters.items():
        if key.endswith(".weight"):
            scale = np.maximum(np.abs(value.reshape(-1, value.shape[-1])).max(axis=0), 1e-12) / 127
            value = (np.clip(np.rint(value / scale), -127, 127) * scale).astype(np.float32)
        rounded[key] = value

    keep = []
    forward(parameters, calibration[0], keep)
    tops = [calibration[0].max()] + [entry[2].max() for entry in keep]

    def snap(x, top):
        scale = top / 255
        return (np.clip(np.rint(x / scale), 0, 255) * scale).astype(np.float32)

    x = snap(data[0], tops[0])
    for (name, _, outputs, pool), top in zip(CONVOLUTIONS, tops[1:]):
        weight = rounded[name + ".weight"].reshape(-1, outputs)
        y = (patches(x) @ weight + rounded[name + ".bias"]).reshape(*x.shape[:3], outputs)
        x = snap(np.maximum(y, 0), top)
        if pool:
            b, h, w, c = x.shape
            x = x.reshape(b, h // 2, 2, w // 2, 2, c).max(axis=(2, 4))
    x = snap(np.maximum(x.reshape(len(x), -1) @ rounded["fc1.weight"] + rounded["fc1.bias"], 0), tops[-1])
    logits = x @ rounded["fc2.weight"] + rounded["fc2.bias"]
    return int((logits.argmax(axis=1) == data[1]).sum())


# Files ---------------------------------------------------------------------------------------------------------------------------


def onnx_model(parameters, name, sparse_weights):
    """The network as ONNX, NCHW, opset 17, one image a run; names its 2:4 weights in the model's properties."""
    initializers, nodes = [], []

    def constant(key, value):
        initializers.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype=np.float32), key))

    def node(kind, label, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], name=label, **attributes))

    value, shape = "image", (1, 8, 8)
    for index, (label, _, outputs, pool) in enumerate(CONVOLUTIONS, start=1):
        constant(label + ".weight", parameters[label + ".weight"].transpose(3, 2, 0, 1))
        constant(label + ".bias", parameters[label + ".bias"])
        node(
            "Conv", label, [value, label + ".weight", label + ".bias"], label + ".out",
            kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1],
        )
        node("Relu", f"relu{index}", [label + ".out"], f"relu{index}.out")
        value, shape = f"relu{index}.out", (outputs, *shape[1:])
        if pool:
            node("MaxPool", f"pool{index}", [value], f"pool{index}.out", kernel_shape=[2, 2], strides=[2, 2])
            value, shape = f"pool{index}.out", (outputs, shape[1] // 2, shape[2] // 2)
    node("Flatten", "flatten", [value], "flatten.out", axis=1)
    # ONNX flattens (c, h, w); the training order is (h, w, c).
    channels, height, width = shape
    hidden = parameters["fc1.weight"].reshape(height, width, channels, -1).transpose(3, 2, 0, 1)
    constant("fc1.weight", hidden.reshape(len(hidden), -1))
    constant("fc1.bias", parameters["fc1.bias"])
    node("Gemm", "fc1", ["flatten.out", "fc1.weight", "fc1.bias"], "fc1.out", transB=1)
    node("Relu", "relu4", ["fc1.out"], "relu4.out")
    constant("fc2.weight", parameters["fc2.weight"].T)
    constant("fc2.bias", parameters["fc2.bias"])
    node("Gemm", "fc2", ["relu4.out", "fc2.weight", "fc2.bias"], "logits", transB=1)

    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 10])],
        initializers,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="pantile digits-cnn", ir_version=8)
    if sparse_weights:
        pattern = f"{KEPT}:{GROUP}"
        helper.set_model_props(model, {"sparsity": " ".join(f"{weight}={pattern}" for weight in sparse_weights)})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def counts(parameters):
    size = {"conv1": 64, "conv2": 64, "conv3": 16, "fc1": 1, "fc2": 1}  # output pixels
    layers = []
    for key, value in parameters.items():
        if key.endswith(".weight"):
            name = key.removesuffix(".weight")
            nonzero = int(np.count_nonzero(value))
            layers.append({"name": name, "weights": value.size, "nonzero": nonzero, "macs": value.size * size[name]})
    return layers


def write_files(folder):
    training, calibration, test = load_data()
    random = np.random.default_rng(SEED + 1)
    dense = train(initial_parameters(random), training, DENSE_EPOCHS, DENSE_RATE, {}, random, "dense")
    masks = sparsity_masks(dense)
    pruned = {key: value * masks[key] if key in masks else value for key, value in dense.items()}
    sparse = train(pruned, training, SPARSE_EPOCHS, SPARSE_RATE, masks, random, "2:4")

    def path(name):
        return os.path.join(folder, name)

    report = {"seed": SEED, "test_images": TEST_COUNT, "calibration_images": CALIBRATION_COUNT, "models": {}}
    for name, parameters, pruned_weights in (("digits-cnn", dense, []), ("digits-cnn-2of4", sparse, list(masks))):
        with open(path(name + ".onnx"), "wb") as file:
            file.write(onnx_model(parameters, name, pruned_weights))
        right = correct(parameters, test)
        report["models"][name] = {
            "correct": right,
            "accuracy": right / TEST_COUNT,
            "simulated_int8_correct": quantised_correct(parameters, calibration, test),
            "weights": sum(layer["weights"] for layer in counts(parameters)),
            "nonzero_weights": sum(layer["nonzero"] for layer in counts(parameters)),
            "macs": sum(layer["macs"] for layer in counts(parameters)),
            "layers": counts(parameters),
        }
    np.save(path("test-images.npy"), np.ascontiguousarray(test[0].transpose(0, 3, 1, 2)))
    np.save(path("test-labels.npy"), test[1])
    np.save(path("calibration.npy"), np.ascontiguousarray(calibration[0].transpose(0, 3, 1, 2)))
    # Sixteenths are exact in half precision.
    np.save(path("training-images.npy"), np.ascontiguousarray(training[0].transpose(0, 3, 1, 2)).astype(np.float16))
    np.save(path("training-labels.npy"), training[1].astype(np.uint8))
    report["files"] = {}
    for name in FILES[:-1]:
        with open(path(name), "rb") as file:
            data = file.read()
        report["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    with open(path("digits-cnn.json"), "w") as file:
        json.dump(report, file, indent=2)
        file.write("\n")
    for name, model in report["models"].items():
        print(
            f"{name}: {model['correct']} of {TEST_COUNT} right in float, "
            f"{model['simulated_int8_correct']} in simulated int8, {model['nonzero_weights']} nonzero weights")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing")
    arguments = parser.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    if not arguments.check:
        write_files(here)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        write_files(folder)
        differing = []
        for name in FILES:
            with open(os.path.join(folder, name), "rb") as file:
                made = file.read()
            try:
                with open(os.path.join(here, name), "rb") as file:
                    committed = file.read()
            except FileNotFoundError:
                committed = None
            if made != committed:
                differing.append(name)
    print("differs: " + ", ".join(differing) if differing else f"all {len(FILES)} files are reproduced byte for byte")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
