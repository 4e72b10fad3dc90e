#!/usr/bin/env python3
"""Runs one topology through SCALE-Sim 3.0.0 and through `pantile run --timing-model scalesim`, compares every layer, prints CPU seconds.

Usage: run.py PANTILE [--topology FILE --config FILE --format conv|gemm] [--turns N] [--record]
Exit 1 when a figure differs.
"""
import argparse
import csv
import json
import os
import pathlib
import re
import subprocess
import sys

import scalesim_tool

ROOT = scalesim_tool.HERE.parent.parent


def pantile_processes(arguments, times):
    """Mean CPU seconds of whole processes, and the output of the last."""
    before = os.times()
    for _ in range(times):
        process = subprocess.run(arguments, capture_output=True, text=True, check=True)
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds / times, process


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pantile")
    parser.add_argument("--topology", default=str(ROOT / "Workloads/topologies/resnet18.csv"))
    parser.add_argument("--config", default=str(ROOT / "Workloads/topologies/ws-128x128.cfg"))
    parser.add_argument("--format", default="conv", choices=["conv", "gemm"])
    parser.add_argument("--turns", type=int, default=100_000, help="evaluations of the closed form")
    parser.add_argument("--record", action="store_true", help="write results.csv")
    options = parser.parse_args()

    base = [
        options.pantile, "run", options.topology, "--chip", options.config, "--timing-model", "scalesim",
        "--topology-format", options.format, "--json", "-",
    ]
    process_seconds, process = pantile_processes(base, 20)
    ours = json.loads(process.stdout)
    _, timed = pantile_processes(base + ["--timing", "--repeat", str(options.turns)], 1)
    read_seconds = float(re.search(r"^read and evaluate: ([0-9.]+) CPU s", timed.stderr, re.M)[1])
    closed_seconds = float(re.search(r"^evaluate: ([0-9.]+) CPU s", timed.stderr, re.M)[1])

    print(f"SCALE-Sim {scalesim_tool.VERSION} runs {ours['network']} on {ours['array']} {ours['dataflow']} ...", flush=True)
    (theirs,), tool_process = scalesim_tool.run([(options.topology, options.config, options.format)])
    wrong = scalesim_tool.differences(theirs["layers"], ours["layers"])
    for line in wrong:
        print(line)
    total = sum(layer["cycles"] for layer in theirs["layers"])
    print(f"{len(theirs['layers'])} layers, {total:,} cycles in SCALE-Sim, {ours['cycles']:,} here: "
          + ("all figures equal" if not wrong else f"{len(wrong)} figures differ"))

    tool_run = theirs["run_cpu_seconds"]
    rows = [
        ("SCALE-Sim, run", tool_run, ""),
        ("SCALE-Sim, process", tool_process, ""),
        ("Pantile, closed form", closed_seconds, tool_run / closed_seconds),
        ("Pantile, read and evaluate", read_seconds, tool_run / read_seconds),
        ("Pantile, process", process_seconds, tool_process / process_seconds),
    ]
    print(f"{'CPU seconds':28} {'':>14} {'times faster':>14}")
    for name, seconds, ratio in rows:
        print(f"{name:28} {seconds:14.9f} {f'{ratio:,.0f}' if ratio else '':>14}")
    if options.record:
        with open(scalesim_tool.HERE / "results.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["network", "array", "dataflow", "layers", "cycles", "figures_that_differ", "measure",
                             "cpu_seconds", "times_faster"])
            for name, seconds, ratio in rows:
                writer.writerow([ours["network"], ours["array"], ours["dataflow"], len(theirs["layers"]), total,
                                 len(wrong), name.replace(",", ":"), f"{seconds:.9f}", f"{ratio:.0f}" if ratio else ""])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
