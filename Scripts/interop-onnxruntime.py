#!/usr/bin/env python3
"""Compares the reference interpreter with ONNX Runtime, quantise step by quantise step.

interop-onnxruntime.py PANTILE MODEL.onnx... [-- further arguments for `pantile run`]

Each model with QuantizeLinear nodes is cut at its quantised tensors. ONNX Runtime (graph optimisations off) runs the whole
model; then every piece runs in `PANTILE run PIECE --interpret` on the values that ONNX Runtime had at its inputs. The
quantised results must be equal or one step apart. Weights that are not shipped are made by the rule in the JSON beside the
model. Needs the Python packages onnx, onnxruntime and numpy. Exit code 1 when a step differs by more.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

TYPES = {"float": np.float32, "double": np.float64, "float16": np.float16, "int8": np.int8, "uint8": np.uint8,
         "int32": np.int32, "int64": np.int64, "float32": np.float32}


def seeded(name, count, dtype, low, high):
    """The weight rule: FNV-1a of the name seeds splitmix64; u = (z >> 40) / 2^24."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) & (2**64 - 1)
    with np.errstate(over="ignore"):
        z = np.uint64(state) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = (z >> np.uint64(40)).astype(np.float64) / float(1 << 24)
    if np.dtype(dtype).kind in "iu":
        return np.floor(low + u * (high - low + 1)).astype(dtype)
    return (low + u * (high - low)).astype(dtype)


def load(path):
    """The model with all weights inside, and the description beside it."""
    description = json.load(open(path[:-5] + ".json")) if os.path.exists(path[:-5] + ".json") else {}
    model = onnx.load(path, load_external_data=False)
    ranges = {entry["name"]: entry for entry in description.get("tensors", [])}
    for tensor in model.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        entry = ranges[tensor.name]
        dtype = TYPES[entry["dtype"]]
        values = seeded(tensor.name, int(np.prod(entry["dims"], dtype=np.int64)), dtype, entry["lo"], entry["hi"])
        tensor.CopyFrom(numpy_helper.from_array(values.reshape(entry["dims"]), tensor.name))
    return model, description


def reference_inputs(model, description):
    """The inputs that the description names, or uniform ones."""
    given = {entry["name"]: entry for entry in description.get("reference", {}).get("inputs", [])}
    weights = {tensor.name for tensor in model.graph.initializer}
    result = {}
    for value in model.graph.input:
        if value.name in weights:
            continue
        shape = [max(1, dim.dim_value) for dim in value.type.tensor_type.shape.dim]
        entry = given.get(value.name, {"dims": shape, "dtype": "float32", "lo": -1.0, "hi": 1.0})
        name = entry.get("prng_name", "input:" + value.name)
        values = seeded(name, int(np.prod(entry["dims"])), TYPES[entry["dtype"]], entry["lo"], entry["hi"])
        result[value.name] = values.reshape(entry["dims"])
    return result


def pieces(model):
    """For each quantised tensor, and each output, the tensors that its piece starts from."""
    graph = model.graph
    maker = {name: node for node in graph.node for name in node.output}
    ends = [node.output[0] for node in graph.node if node.op_type == "QuantizeLinear"]
    starts = set(ends) | {value.name for value in graph.input}
    for end in ends + [value.name for value in graph.output if value.name not in ends]:
        found, seen, queue = [], set(), list(maker[end].input)
        while queue:
            name = queue.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in starts:
                found.append(name)
            elif name in maker:
                queue += maker[name].input
        yield sorted(found), end


def compare(pantile, path, further):
    model, description = load(path)
    inputs = reference_inputs(model, description)
    if not any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        print(f"{path}: no quantise steps")
        return True
    inferred = onnx.shape_inference.infer_shapes(model)
    steps = list(pieces(inferred))
    whole = onnx.ModelProto()
    whole.CopyFrom(inferred)
    outputs = {value.name for value in whole.graph.output}
    known = {value.name: value for value in list(inferred.graph.value_info)}
    whole.graph.output.extend(known[end] for _, end in steps if end not in outputs)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(whole.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    values = dict(zip(names, session.run(names, inputs))) | inputs
    extractor = onnx.utils.Extractor(inferred)
    equal, off, worst, bad = 0, 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        for starts, end in steps:
            piece = f"{folder}/piece.onnx"
            onnx.save(extractor.extract_model(starts, [end]), piece)
            command = [pantile, "run", piece, "--interpret", "--output-dir", folder] + further
            for number, name in enumerate(starts):
                np.save(f"{folder}/in{number}.npy", values[name])
                command += ["--input", f"{name}={folder}/in{number}.npy"]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                bad.append(f"{end}: {done.stderr.strip()}")
                continue
            own = np.load(f"{folder}/out0.npy")
            expected = values[end]
            if expected.dtype.kind == "f":
                allowed = 1e-3 * float(np.abs(expected).max())
                if float(np.abs(own - expected).max()) > allowed:
                    bad.append(f"{end}: floats differ by more than {allowed}")
                continue
            difference = np.abs(own.astype(np.int64) - expected.astype(np.int64))
            equal += int((difference == 0).sum())
            off += int((difference == 1).sum())
            worst = max(worst, int(difference.max()))
            if difference.max() > 1:
                bad.append(f"{end}: {int((difference > 1).sum())} values differ by up to {int(difference.max())} steps")
    print(f"{path}: {len(steps)} pieces, {equal} values equal, {off} one step apart, largest difference {worst}")
    for line in bad:
        print(f"  {line}")
    return not bad


def main():
    arguments = sys.argv[1:]
    further = arguments[arguments.index("--") + 1:] if "--" in arguments else []
    if "--" in arguments:
        arguments = arguments[:arguments.index("--")]
    if len(arguments) < 2:
        sys.exit(__doc__)
    results = [compare(arguments[0], path, further) for path in arguments[1:]]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
