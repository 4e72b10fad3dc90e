#!/usr/bin/env python3
"""Measures the planner on a folder of known graphs and packings, and checks every plan.

The folder holds `expected_optima.json` (free order: graph, capacity, optimum), `graphs/*.json` and `packings/*.csv`
(MiniMalloc's columns). Three tables are printed, with CPU seconds of the whole process:
 - free order: is the expected optimum reached and proved;
 - streaming: default order, 32 KiB tile buffer, 128 KiB to 8 MiB, for every graph;
 - packings: at a capacity of 1,048,576.
Exit status 1 when a cost differs from the expected one, a plan has a fault or a limit of CPU seconds is exceeded.

Example: known.py --planner ../../.build/release/pantile reference/memory
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile

import check_plan

KIB = 1024
STREAMING_CAPACITIES = [KIB << shift for shift in range(7, 14)]
TILE_BUFFER = 32 * KIB
PACKING_CAPACITY = 1_048_576


def child_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(planner, *arguments):
    """The parsed JSON of one plan (None when it is not JSON) and the CPU seconds of the process."""
    before = child_cpu()
    done = subprocess.run([planner, "plan", *arguments, "--json", "-"], capture_output=True, text=True)
    seconds = child_cpu() - before
    try:
        return json.loads(done.stdout), seconds
    except json.JSONDecodeError:
        print(f"  {' '.join(arguments)}: exit {done.returncode}: {done.stderr.strip()[-300:]}")
        return None, seconds


class Tally:
    """Faults and the largest times of a table."""

    def __init__(self, limit):
        self.limit, self.faults, self.slow, self.seconds = limit, [], [], []

    def add(self, name, seconds, faults):
        self.seconds.append(seconds)
        self.faults += [f"{name}: {fault}" for fault in faults]
        if seconds > self.limit:
            self.slow.append(f"{name}: {seconds:.2f} s")

    def report(self):
        print(f"  {len(self.seconds)} runs, {sum(self.seconds):.2f} CPU s, slowest {max(self.seconds):.2f} s")
        for line in self.faults + [f"over {self.limit} s: {slow}" for slow in self.slow]:
            print(f"  {line}")
        return not self.faults and not self.slow


def plan_faults(path, plan, capacity, tile_buffer=None):
    if plan is None:
        return ["no plan"]
    with open(path) as file:
        return check_plan.check(json.load(file), plan, capacity, tile_buffer=tile_buffer)[:3]


def free_order(planner, folder):
    print("free order: graph, capacity, expected and found bytes, status, states, CPU s")
    tally = Tally(5)
    with open(os.path.join(folder, "expected_optima.json")) as file:
        entries = json.load(file)["results"]
    for entry in entries:
        path = os.path.join(folder, "graphs", entry["graph"] + ".json")
        capacity, optimum = entry["capacity_bytes"], entry["optimum_bytes"]
        plan, seconds = run(planner, path, "--capacity", str(capacity))
        faults = plan_faults(path, plan, capacity)
        if plan and (plan["cost_bytes"] != optimum or plan["status"] != "optimal"):
            faults.append(f"{plan['status']} {plan['cost_bytes']} instead of optimal {optimum}")
        found, status, states = (plan["cost_bytes"], plan["status"], plan["states"]) if plan else ("-", "-", "-")
        print(f"  {entry['graph']:24} {capacity:9} {optimum:9} {found:9} {status:9} {states:8} {seconds:6.2f}")
        tally.add(entry["graph"], seconds, faults)
    return tally.report()


def streaming(planner, folder):
    print("streaming, default order: MiB moved (and gap) at " + ", ".join(f"{c // KIB}K" for c in STREAMING_CAPACITIES))
    tally = Tally(1)
    for file in sorted(os.listdir(os.path.join(folder, "graphs"))):
        path, cells, slowest = os.path.join(folder, "graphs", file), [], 0
        for capacity in STREAMING_CAPACITIES:
            options = ["--order", "default", "--method", "streaming", "--tile-buffer", str(TILE_BUFFER)]
            plan, seconds = run(planner, path, "--capacity", str(capacity), *options)
            slowest = max(slowest, seconds)
            faults = plan_faults(path, plan, capacity, TILE_BUFFER)
            if plan and plan["status"] != "optimal":
                faults.append(f"{plan['status']}, gap {100 * plan['gap']:.2f} %, {seconds:.2f} CPU s")
            cells.append(f"{plan['cost_bytes'] / KIB / KIB:7.3f}" if plan else "      -")
            tally.add(f"{file} at {capacity // KIB}K", seconds, faults)
        print(f"  {file[:-5]:24} {' '.join(cells)}  slowest {slowest:5.2f} s", flush=True)
    return tally.report()


def packings(planner, folder):
    print(f"packings at {PACKING_CAPACITY}: buffers, status, height, CPU s")
    tally = Tally(10)
    for file in sorted(os.listdir(os.path.join(folder, "packings"))):
        if not file.endswith(f".{PACKING_CAPACITY}.csv"):
            continue
        path = os.path.join(folder, "packings", file)
        with tempfile.TemporaryDirectory() as scratch:
            solution = os.path.join(scratch, "solution.csv")
            plan, seconds = run(planner, path, "--capacity", str(PACKING_CAPACITY), "--solution", solution)
            faults, height, count = packing_faults(path, solution)
        print(f"  {file:24} {count:5} {plan['status'] if plan else '-':10} {height:9} {seconds:6.3f}")
        tally.add(file, seconds, faults)
    return tally.report()


def packing_faults(path, solution):
    """Compares every two buffers; answers faults, height, count."""
    if not os.path.exists(solution):
        return ["no solution"], 0, 0
    with open(path) as original, open(solution) as solved:
        asked, rows = list(csv.DictReader(original)), list(csv.DictReader(solved))
    columns = list(asked[0])
    if [[row[c] for c in columns] for row in rows] != [[row[c] for c in columns] for row in asked]:
        return ["the solution's buffers are not the packing's"], 0, len(rows)
    size_of = [(int(r["lower"]), int(r["upper"]), int(r["offset"]), int(r["offset"]) + int(r["size"])) for r in rows]
    faults = []
    for index, (lower, upper, low, high) in enumerate(size_of):
        if low < 0 or high > PACKING_CAPACITY:
            faults.append(f"buffer {index} leaves the memory")
        for other in size_of[:index]:
            if lower < other[1] and other[0] < upper and low < other[3] and other[2] < high:
                faults.append(f"buffer {index} overlaps another")
    return faults[:3], max(row[3] for row in size_of), len(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--planner", required=True, help="the pantile program")
    parser.add_argument("--tables", default="free,streaming,packings", help="which tables, separated by commas")
    parser.add_argument("folder", help="folder with expected_optima.json, graphs and packings")
    arguments = parser.parse_args()
    tables = {"free": free_order, "streaming": streaming, "packings": packings}
    results = [tables[name](arguments.planner, arguments.folder) for name in arguments.tables.split(",")]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
