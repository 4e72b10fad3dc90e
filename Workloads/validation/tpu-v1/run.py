#!/usr/bin/env python3
"""Runs stand-ins of four production networks on tpu-v1-like and sets the counters beside those of the paper.

Source of the measured figures: N. Jouppi et al., "In-Datacenter Performance Analysis of a Tensor Processing Unit", ISCA 2017, tables 1
and 3. The paper gives batch, weights and the number of layers; widths are ours (see Docs/validation/tpu-v1.md).

Usage: run.py PATH_OF_PANTILE [--update Docs/validation/tpu-v1.md]
"""

import json
import os
import subprocess
import sys
import tempfile

ROWS = 256
CLOCK = 700e6

# Batch, widths of the padded layers, weights that are not padding in millions, lanes of the vector unit (the work between layers that the
# paper does not describe); then measured: active, stall, shift, non-matrix (%), TOPS.
APPS = {
    "MLP0": (200, [2048, 2048, 1792, 2048, 2048, 2048], 20, 192, (12.7, 53.9, 15.9, 17.5, 12.3)),
    "MLP1": (168, [1280, 1024, 1280, 1024, 1024], 5, 144, (10.6, 44.2, 13.4, 31.9, 9.7)),
    "LSTM0": (64, [1536, 1280, 1792, 1280] * 6 + [1536], 52, 64, (8.2, 58.1, 15.8, 17.9, 3.7)),
    "LSTM1": (96, [512, 3584] * 18 + [512, 3584], 34, 384, (10.5, 62.1, 17.1, 10.3, 2.8)),
}


def network(name, batch, widths):
    """A chain of fully connected layers, each with a sigmoid behind it; int8 at the borders and between layers."""
    grid = "{scale = array<f32: 0.0078125>, zero_point = array<i32: 0>}"
    to_int8 = grid[:-1] + ", to = i8}"
    lines = ['"builtin.module"() ({', '  "func.func"() ({', f"  ^bb0(%q0: tensor<{batch}x{widths[0]}xi8>):"]

    def op(result, text, where=""):
        lines.append(f"    %{result} = {text}{where}")

    for i, (k, n) in enumerate(zip(widths, widths[1:])):
        x, y, w = f"tensor<{batch}x{k}x", f"tensor<{batch}x{n}x", f"tensor<{n}x{k}x"
        op(f"x{i}", f'"dnn.dequantize"(%q{i}) {grid} : ({x}i8>) -> {x}f32>')
        op(f"w{i}", f'"dnn.constant"() {{value = #dnn.seeded<"w{i}", -0.05, 0.05>}} : () -> {w}f32>')
        op(f"u{i}", f'"dnn.quantize"(%w{i}) {to_int8} : ({w}f32>) -> {w}i8>')
        op(f"v{i}", f'"dnn.dequantize"(%u{i}) {grid} : ({w}i8>) -> {w}f32>')
        op(
            f"y{i}", f'"dnn.fully_connected"(%x{i}, %v{i}) {{input_zero_point = 0 : i64}} : ({x}f32>, {w}f32>) -> {y}f32>',
            f' loc("fc{i}")')
        op(f"a{i}", f'"dnn.quantize"(%y{i}) {to_int8} : ({y}f32>) -> {y}i8>')
        op(f"b{i}", f'"dnn.dequantize"(%a{i}) {grid} : ({y}i8>) -> {y}f32>')
        op(f"s{i}", f'"dnn.sigmoid"(%b{i}) : ({y}f32>) -> {y}f32>', f' loc("sigmoid{i}")')
        op(f"q{i + 1}", f'"dnn.quantize"(%s{i}) {to_int8} : ({y}f32>) -> {y}i8>')
    last = len(widths) - 1
    first, end = f"tensor<{batch}x{widths[0]}xi8>", f"tensor<{batch}x{widths[-1]}xi8>"
    lines.append(f'    "func.return"(%q{last}) : ({end}) -> ()')
    lines.append(
        f'  }}) {{arg_attrs = [{{dnn.name = "x"}}], function_type = ({first}) -> {end}, '
        f'res_attrs = [{{dnn.name = "out"}}], sym_name = "main"}} : () -> ()')
    lines.append(f'}}) {{sym_name = "{name}"}} : () -> ()')
    return "\n".join(lines) + "\n"


def measure(tool, name):
    batch, widths, weights, lanes, measured = APPS[name]
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, name + ".mlir")
        with open(model, "w") as file:
            file.write(network(name.lower(), batch, widths))
        done = subprocess.run(
            [tool, "run", model, "--chip", "tpu-v1-like", "--set", f"engines.vector0.lanes={lanes}", "--json", "-"],
            capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    report = json.loads(done.stdout)
    cycles = report["cycles"]
    tiles = sum(k * n for k, n in zip(widths, widths[1:])) / ROWS**2
    active = 100 * tiles * batch / cycles
    shift = 100 * tiles * ROWS / cycles
    stalls = report["stalls"]
    other = 100 * (stalls.get("no-work", 0) + stalls.get("order", 0)) / cycles
    stall = 100 - active - shift - other
    tops = 2 * batch * weights * 1e6 / (cycles / CLOCK) / 1e12
    return (active, stall, shift, other, tops), measured


def main():
    tool = os.path.abspath(sys.argv[1])
    lines = [
        "| app | active % | paper | weight stall % | paper | shift % | paper | non-matrix % | paper | TOPS | paper | off by |",
        "|---|" + "---:|" * 11,
    ]
    good = True
    for name in APPS:
        ours, paper = measure(tool, name)
        off = 100 * (ours[4] / paper[4] - 1)
        cells = " | ".join(f"{a:.1f} | {b}" for a, b in zip(ours, paper))
        lines.append(f"| {name} | {cells} | {off:+.1f} % |")
        good = good and abs(ours[0] - paper[0]) <= 5 and abs(ours[1] - paper[1]) <= 5 and abs(off) <= 12
    print("\n".join(lines))
    if "--update" in sys.argv:
        page = sys.argv[sys.argv.index("--update") + 1]
        with open(page) as file:
            text = file.read()
        start, end = text.index("<!-- results -->"), text.index("<!-- end of results -->")
        with open(page + ".new", "w") as file:
            file.write(text[:start] + "<!-- results -->\n" + "\n".join(lines) + "\n" + text[end:])
        os.replace(page + ".new", page)
    sys.exit(0 if good else 1)


main()
