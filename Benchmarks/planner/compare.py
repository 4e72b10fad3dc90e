#!/usr/bin/env python3
"""Compares `pantile plan` with CP-SAT and HiGHS on seeded randomly wired networks.

`instances.csv` lists the graphs by the parameters of random_wired.py, each with a capacity in bytes: M_R (`_mr`), or
half way between M_R and the smallest peak a beam search finds (`_mid`). Seeds were taken in order from a start value,
leaving out those whose peak is not above M_R, i.e. where nothing has to be spilled; nothing was chosen by results.

Each peer of peers.py gets `--limit` CPU seconds a graph; of a solver's configurations the best result counts (proved,
then cost, then bound, then time), which favours the solver: its time is that of this one configuration. Results of the
peers are kept in `peers.csv`, keyed by the graph's digest, the capacity, the peer and the limit; `--fresh` ignores it.
The plan of pantile is checked by check_plan.py, its CPU seconds are those of the whole process.

A graph counts as
 - worse: pantile's cost is above a peer's, or there is no valid plan;
 - unproved: a peer proved optimality and pantile did not;
 - slower: some peer got as good a cost with as good a bound in less CPU time;
 - contradiction: a bound above another's cost.
Exit status 1 when a graph is worse or contradicts. Without `--planner` only the peers run.

Example: compare.py --planner ../../.build/release/pantile
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile

import check_plan
import graph_io
import peers
from random_wired import random_wired

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE_FIELDS = [
    "graph", "digest", "capacity", "peer", "version", "limit", "status", "cost_bytes", "bound_bytes", "cpu_seconds",
]  # fmt: skip


def read_instances(path, only):
    """(document, capacity) of each line whose name contains one of `only`."""
    with open(path) as file:
        for line in csv.DictReader(file):
            if only and not any(part in line["name"] for part in only):
                continue
            numbers = {key: int(line[key]) for key in ("nodes", "k", "channels", "resolution", "seed", "stages")}
            yield random_wired(**numbers, p=float(line["p"]), name=line["name"]), int(line["capacity"])


class Cache:
    """Results of the peers in a CSV; a new result is appended at once, so an interrupted run loses nothing."""

    def __init__(self, path, is_fresh):
        self.path, self.rows = path, {}
        if is_fresh or not os.path.exists(path):
            with open(path, "w", newline="") as file:
                csv.DictWriter(file, CACHE_FIELDS, lineterminator="\n").writeheader()
            return
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                row["cost_bytes"] = int(row["cost_bytes"]) if row["cost_bytes"] else None
                row["bound_bytes"] = int(row["bound_bytes"])
                row["cpu_seconds"] = float(row["cpu_seconds"])
                self.rows[self.key(row["digest"], row["capacity"], row["peer"], row["limit"])] = row

    @staticmethod
    def key(digest, capacity, peer, limit):
        return digest, int(capacity), peer, float(limit)

    def find(self, digest, capacity, peer, limit):
        return self.rows.get(self.key(digest, capacity, peer, limit))

    def add(self, row):
        self.rows[self.key(row["digest"], row["capacity"], row["peer"], row["limit"])] = row
        with open(self.path, "a", newline="") as file:
            csv.DictWriter(file, CACHE_FIELDS, lineterminator="\n", extrasaction="ignore").writerow(row)


def run_planner(planner, document, path, capacity):
    """Run `pantile plan` and check its plan; the result has the peers' keys and `faults`."""
    command = [planner, "plan", path, "--capacity", str(capacity), "--json", "-"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    text, complaint = process.stdout.read(), process.stderr.read()
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    result = {"status": "unknown", "cost_bytes": None, "bound_bytes": 0, "faults": []}
    result["cpu_seconds"] = round(usage.ru_utime + usage.ru_stime, 2)
    try:
        plan = json.loads(text)
    except ValueError:
        message = (complaint.strip() or text.strip() or "nothing printed").split("\n")[0]
        return {**result, "faults": [f"no plan, exit status {process.returncode}: {message}"]}
    result["faults"] = check_plan.check(document, plan, capacity)
    if not result["faults"] and plan["status"] in ("optimal", "feasible"):
        result.update(status=plan["status"], cost_bytes=plan["cost_bytes"], bound_bytes=plan["lower_bound_bytes"])
    elif not result["faults"]:
        result["faults"] = [f"status is {plan['status']}"]
    return result


def rank(result):
    """Sorts better results first."""
    cost = result["cost_bytes"]
    return (result["status"] != "optimal", cost is None, cost or 0, -result["bound_bytes"], result["cpu_seconds"])


def judge(planned, others):
    """The words of the docstring that apply to a graph."""
    words = []
    costs = [o["cost_bytes"] for o in others if o["cost_bytes"] is not None]
    cost, bound = planned["cost_bytes"], planned["bound_bytes"]
    if cost is None or any(cost > other for other in costs):
        words.append("worse")
    if planned["status"] != "optimal" and any(o["status"] == "optimal" for o in others):
        words.append("unproved")
    if any(
        o["cost_bytes"] is not None and (cost is None or o["cost_bytes"] <= cost) and o["bound_bytes"] >= bound
        and o["cpu_seconds"] < planned["cpu_seconds"]
        for o in others
    ):  # fmt: skip
        words.append("slower")
    bounds = [bound] + [o["bound_bytes"] for o in others]
    if max(bounds) > min(costs + ([] if cost is None else [cost]), default=max(bounds)):
        words.append("contradiction")
    return words


def cells(result):
    """Cost, bound and CPU columns in KiB and seconds; a proved cost has an equals sign for a bound."""
    if result is None:
        return f"{'':>8} {'':>8} {'':>7}"
    cost = "-" if result["cost_bytes"] is None else f"{result['cost_bytes'] / 1024:.1f}"
    bound = "=" if result["status"] == "optimal" else f"{result['bound_bytes'] / 1024:.1f}"
    return f"{cost:>8} {bound:>8} {result['cpu_seconds']:>7.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--planner", help="the pantile binary")
    parser.add_argument("--limit", type=float, default=60, help="CPU seconds of a peer per graph (default 60)")
    parser.add_argument("--peers", nargs="*", choices=list(peers.PEERS), default=list(peers.PEERS), help="default: all")
    parser.add_argument("--only", nargs="*", help="graphs whose name contains one of these")
    parser.add_argument("--fresh", action="store_true", help="ignore and rewrite the cached results of the peers")
    parser.add_argument("--cached", action="store_true", help="never run a peer: leave out what is not in the cache")
    parser.add_argument("--instances", default=os.path.join(HERE, "instances.csv"))
    parser.add_argument("--cache", default=os.path.join(HERE, "peers.csv"))
    parser.add_argument("--venv", default=os.path.join(HERE, ".venv"), help="virtual environment of the solvers")
    args = parser.parse_args()
    cache = Cache(args.cache, args.fresh)
    solvers = list(dict.fromkeys(peer.split("/")[0] for peer in args.peers))
    group = f"{'cost':>8} {'bound':>8} {'CPU s':>7}"
    names = ["pantile"] * bool(args.planner) + solvers
    print(f"{'':34}" + " |".join(f"{name:>26}" for name in names))
    print(f"{'graph':20} {'ops':>4} {'M KiB':>8} " + " | ".join(group for _ in names))
    counts = dict.fromkeys(("worse", "unproved", "slower", "contradiction"), 0)
    proved = dict.fromkeys(names, 0)
    seconds = dict.fromkeys(names, 0.0)
    nonzero = graph_count = 0
    with tempfile.TemporaryDirectory() as folder:
        for document, capacity in read_instances(args.instances, args.only):
            graph_count += 1
            path = os.path.join(folder, document["name"] + ".json")
            graph_io.write(document, path)
            digest = graph_io.digest(document)
            results = []
            for peer in args.peers:
                result = cache.find(digest, capacity, peer, args.limit)
                if result is None and not args.cached:
                    result = peers.run(peers.interpreter(args.venv), path, capacity, peer, args.limit)
                    result.update(
                        graph=document["name"], digest=digest, capacity=capacity, peer=peer, limit=f"{args.limit:g}"
                    )
                    cache.add(result)
                if result is not None:
                    results.append(result)
            columns = []
            for solver in solvers:
                own = [result for result in results if result["peer"].startswith(solver + "/")]
                columns.append(min(own, key=rank, default=None))
            note = ""
            if args.planner:
                planned = run_planner(args.planner, document, path, capacity)
                words = judge(planned, results)
                for word in words:
                    counts[word] += 1
                note = " " + ", ".join(words + planned["faults"][:2])
                columns.insert(0, planned)
            for name, result in zip(names, columns):
                if result is not None:
                    proved[name] += result["status"] == "optimal"
                    seconds[name] += result["cpu_seconds"]
            nonzero += max((c["bound_bytes"] for c in columns if c), default=0) > 0
            start = f"{document['name']:20} {len(document['ops']):>4} {capacity / 1024:>8.1f} "
            print(start + " | ".join(map(cells, columns)) + note, flush=True)
    print()
    print(f"{graph_count} graphs, {nonzero} with a bound above 0")
    for name in names:
        print(f"{name}: {proved[name]} proved, {seconds[name]:.1f} CPU s")
    rows = [row for row in cache.rows.values() if row["version"]]
    versions = sorted({f"{row['peer'].split('/')[0]} {row['version']}" for row in rows})
    print(f"solvers: {', '.join(versions)}; limit {args.limit:g} CPU s each, one thread")
    if args.planner:
        print(", ".join(f"{word} on {count}" for word, count in counts.items()))
    return 1 if counts["worse"] or counts["contradiction"] else 0


if __name__ == "__main__":
    sys.exit(main())
