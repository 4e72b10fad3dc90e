#!/usr/bin/env python3
"""Random small networks, arrays and dataflows through SCALE-Sim 3.0.0 and Pantile; every column of every layer has to agree.

Usage: fuzz.py PANTILE [--networks 40] [--seed 1]
"""
import argparse
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import scalesim_tool

ROOT = scalesim_tool.HERE.parent.parent


def convolution(draw, index):
    height, width = draw.randint(1, 9), draw.randint(1, 9)
    filter_height, filter_width = draw.randint(1, height), draw.randint(1, width)
    name = draw.choice(["L", "L", "L", "DP"]) + str(index)
    sizes = [height, width, filter_height, filter_width, draw.randint(1, 6), draw.randint(1, 20), draw.randint(1, 3)]
    return f"{name}, " + ", ".join(map(str, sizes)) + ","


def product(draw, index):
    return f"G{index}, " + ", ".join(str(draw.randint(1, 30)) for _ in range(3)) + ","


def network(draw, folder, base):
    """Writes a topology and a configuration; returns both with the topology's format."""
    format = draw.choice(["conv", "gemm"])
    # 2 at least: one multiply-accumulate on one element is a division by zero in the tool.
    rows, columns, dataflow = draw.randint(2, 9), draw.randint(1, 9), draw.choice(["os", "ws", "is"])
    make, header = (convolution, "name, ifmap,") if format == "conv" else (product, "Layer, M, N, K,")
    config = re.sub(r"ArrayHeight: \d+", f"ArrayHeight: {rows}", base)
    config = re.sub(r"ArrayWidth: \d+", f"ArrayWidth: {columns}", config)
    config = re.sub(r"Dataflow: \w+", f"Dataflow: {dataflow}", config)
    config = re.sub(r"SramSzkB: \d+", lambda _: f"SramSzkB: {draw.choice([1, 2, 64])}", config)
    folder.mkdir()
    (folder / "t.csv").write_text("\n".join([header] + [make(draw, index) for index in range(8)]) + "\n")
    (folder / "c.cfg").write_text(config)
    return folder / "t.csv", folder / "c.cfg", format


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pantile")
    parser.add_argument("--networks", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    base = (ROOT / "Workloads/topologies/ws-128x128.cfg").read_text()
    layers = 0
    wrong = []
    with tempfile.TemporaryDirectory() as scratch:
        cases = [network(draw, pathlib.Path(scratch) / str(index), base) for index in range(options.networks)]
        results, _ = scalesim_tool.run(cases)
        for (topology, config, _), theirs in zip(cases, results):
            ours = json.loads(subprocess.run(
                [options.pantile, "run", str(topology), "--chip", str(config), "--timing-model", "scalesim", "--json",
                 "-"], capture_output=True, text=True, check=True).stdout)
            layers += len(theirs["layers"])
            for line in scalesim_tool.differences(theirs["layers"], ours["layers"]):
                wrong.append(f"{topology.parent.name} {ours['array']} {ours['dataflow']}: {line}")
    for line in wrong:
        print(line)
    print(f"seed {options.seed}: {options.networks} networks, {layers} layers, {len(wrong)} figures differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
