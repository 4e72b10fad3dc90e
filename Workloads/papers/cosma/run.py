#!/usr/bin/env python3
"""Makes COSMA's experiment (arXiv 2311.18246, section V) again over the shipped networks: run.py PATH_OF_PANTILE [MODEL ...]

For each network and each of the paper's budgets (M_R: the largest op; M_P: the least peak; M_H: their mean) the bytes that move
beyond the compulsory ones, int8, activations only. Writes results.csv beside itself and prints a Markdown table.
"""
import csv
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[2]
# Name, method, order: the paper's baselines, then ours.
RUNS = [
    ("default order, Belady", "belady", "default"),
    ("least peak, Belady", "belady", "free"),
    ("default order, ILP", "gap", "default"),
    ("least peak, ILP", "gap", "free"),
    ("TFLite addresses", "tflite", "default"),
    ("Pantile", "auto", "free"),
]


def plan(pantile, model, capacity, method="auto", order="free"):
    """The plan's JSON, also of an infeasible one."""
    command = [pantile, "plan", model, "--capacity", str(capacity), "--method", method, "--order", order, "--json", "-"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout)


def largest_op(pantile, model):
    """M_R: what the refusal of a memory of one byte says is missing, and that byte."""
    reason = plan(pantile, model, 1)["reason"]
    return int(re.search(r"(\d+) bytes more than", reason)[1]) + 1


def least_peak(pantile, model, low):
    """M_P: the smallest capacity at which nothing has to move, by bisection."""
    high = low
    while plan(pantile, model, high)["cost_bytes"] != 0:
        high *= 2
    while low < high:
        middle = (low + high) // 2
        if plan(pantile, model, middle)["cost_bytes"] == 0:
            high = middle
        else:
            low = middle + 1
    return high


def main():
    pantile = sys.argv[1]
    models = sys.argv[2:] or sorted(p.parent.name for p in (ROOT / "Workloads/models").glob("*/*.mlir"))
    rows = []
    for model in models:
        least = largest_op(pantile, model)
        peak = least_peak(pantile, model, least)
        for budget, capacity in (("M_R", least), ("M_H", (least + peak) // 2), ("M_P", peak)):
            row = {"network": pathlib.Path(model).stem, "budget": budget, "capacity": capacity}
            for name, method, order in RUNS:
                result = plan(pantile, model, capacity, method, order)
                row[name] = "none" if result["cost_bytes"] is None else result["cost_bytes"]
                if name == "Pantile":
                    row["status"] = result["status"]
            rows.append(row)
    with open(HERE / "results.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    names = list(rows[0])
    print("| " + " | ".join(names) + " |\n|" + "---|" * len(names))
    for row in rows:
        print("| " + " | ".join(f"{row[n]:,}" if isinstance(row[n], int) else str(row[n]) for n in names) + " |")


if __name__ == "__main__":
    main()
