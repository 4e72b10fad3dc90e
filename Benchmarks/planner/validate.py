#!/usr/bin/env python3
"""Checks the benchmark's own tools on seeded random small graphs.

 - every peer proves the cost that the exhaustive oracle finds;
 - oracle plans pass check_plan.py, and each of a list of damages to them is a fault;
 - with `--planner PATH`, `pantile plan` proves the oracle's cost too, and its plan passes.

The graphs have 6 to 9 ops, some with two results, tensors with several readers, tensors nobody reads, graph outputs
that are read again, and several graph inputs. Exit status 1 when something disagrees.

Example: validate.py --count 60
"""

import argparse
import copy
import json
import os
import random
import subprocess
import sys
import tempfile

import check_plan
import graph_io
import oracle
import peers


def small_graph(seed):
    """(document, capacity) of a random small graph; its capacity is M_R or a little more."""
    rng = random.Random(seed)
    builder = graph_io.Builder(f"small{seed}", "random small graph")
    pool = [builder.tensor((rng.randint(1, 9), 1, 8), "input") for _ in range(rng.randint(1, 3))]
    ops = builder.document["ops"]
    for _ in range(rng.randint(6, 9)):
        recent = pool[-6:]
        reads = sorted(set(rng.choice(recent if rng.random() < 0.6 else pool) for _ in range(rng.randint(1, 3))))
        results = [builder.tensor((rng.randint(1, 9), 1, 8)) for _ in range(1 if rng.random() < 0.7 else 2)]
        ops.append({"id": len(ops), "kind": "any", "inputs": reads, "outputs": results, "weight_bytes": 0})
        pool += results
    read = {a for op in ops for a in op["inputs"]}
    made = [a for op in ops for a in op["outputs"]]
    document = builder.finish([a for a in made if (a not in read and rng.random() < 0.8) or rng.random() < 0.1])
    graph = graph_io.parse(document)
    return document, graph.max_footprint + rng.choice([0, 0, 0, 8, 16])


def together(one, other):
    """Whether two address records share a step."""
    return one["from"] < other["to"] and other["from"] < one["to"]


def damaged(plan, document, rng):
    """(name, plan) pairs, each with one thing wrong."""
    tensor_bytes = {t["id"]: t["bytes"] for t in document["tensors"]}

    def variant(name, change):
        other = copy.deepcopy(plan)
        change(other)
        return name, other

    yield variant("op missing", lambda p: p["order"].pop())
    yield variant("op twice", lambda p: p["order"].append(p["order"][0]))
    yield variant("cost off", lambda p: p.update(cost_bytes=p["cost_bytes"] + 1))
    yield variant("bound above cost", lambda p: p.update(lower_bound_bytes=p["cost_bytes"] + 1))
    yield variant("gap off", lambda p: p.update(gap=0.5))
    yield variant("status unknown", lambda p: p.update(status="done"))
    yield variant("infeasible although it fits", lambda p: p.update(status="infeasible"))
    yield variant("peak off", lambda p: p.update(peak_bytes=p["peak_bytes"] + 1000))
    yield variant("record missing", lambda p: p["addresses"].pop(rng.randrange(len(p["addresses"]))))
    yield variant("offset outside", lambda p: rng.choice(p["addresses"]).update(offset=1 << 40))
    yield variant("offset negative", lambda p: rng.choice(p["addresses"]).update(offset=-1))
    producers = {a: op for op in document["ops"] for a in op["outputs"]}
    edges = [(producers[a]["id"], op["id"]) for op in document["ops"] for a in op["inputs"] if a in producers]
    edge = next(iter(edges), None)
    if edge:

        def swap(p):
            i, j = (p["order"].index(op) for op in edge)
            p["order"][i], p["order"][j] = p["order"][j], p["order"][i]

        yield variant("not topological", swap)
    entries = plan["addresses"]
    pairs = [(i, j) for i in range(len(entries)) for j in range(i)]
    pair = next((p for p in pairs if together(entries[p[0]], entries[p[1]])), None)
    if pair:
        i, j = pair
        yield variant("overlap", lambda p: p["addresses"][i].update(offset=p["addresses"][j]["offset"]))
    long = next((i for i, e in enumerate(entries) if e["to"] - e["from"] > 1), None)
    if long is not None:

        def split(p):
            entry = p["addresses"][long]
            rest = {**entry, "from": entry["from"] + 1, "offset": entry["offset"] + 1}
            entry["to"] = entry["from"] + 1
            p["addresses"].append(rest)

        yield variant("moves while resident", split)
    if plan["spills"]:

        def unspill(p):
            moved = tensor_bytes[p["spills"].pop(0)["tensor"]]
            p.update(cost_bytes=p["cost_bytes"] - moved, lower_bound_bytes=p["cost_bytes"] - moved)

        yield variant("fetch without a copy", unspill)
    if plan["fetches"]:

        def unfetch(p):
            moved = tensor_bytes[p["fetches"].pop(0)["tensor"]]
            p.update(cost_bytes=p["cost_bytes"] - moved, lower_bound_bytes=p["cost_bytes"] - moved)

        yield variant("residency from nowhere", unfetch)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=60, help="graphs (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first graph (default 1)")
    parser.add_argument("--venv", default=".venv", help="virtual environment of the solvers (default .venv)")
    parser.add_argument("--planner", help="the pantile binary, to compare it as well")
    parser.add_argument("--no-peers", action="store_true", help="skip the solvers")
    args = parser.parse_args()
    python = None if args.no_peers else peers.interpreter(args.venv)
    wrong = nonzero = damages = unpacked = 0

    def complain(seed, message):
        nonlocal wrong
        wrong += 1
        print(f"seed {seed}: {message}")

    for seed in range(args.seed, args.seed + args.count):
        document, capacity = small_graph(seed)
        graph = graph_io.parse(document)
        cost, events, states = oracle.solve(graph, capacity)
        nonzero += cost > 0
        plan = oracle.plan_document(graph, capacity, cost, events, states)
        if plan["addresses"] is None:
            unpacked += 1
        else:
            for fault in check_plan.check(document, plan, capacity)[:3]:
                complain(seed, f"oracle plan: {fault}")
            for name, bad in damaged(plan, document, random.Random(seed)):
                damages += 1
                if not check_plan.check(document, bad, capacity):
                    complain(seed, f"the checker accepts '{name}'")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "graph.json")
            graph_io.write(document, path)
            for peer in peers.PEERS if python else ():
                result = peers.run(python, path, capacity, peer)
                if (result["status"], result["cost_bytes"], result["bound_bytes"]) != ("optimal", cost, cost):
                    complain(seed, f"{peer} says {result}, the oracle {cost}")
            if args.planner:
                command = [args.planner, "plan", path, "--capacity", str(capacity), "--json", "-"]
                text = subprocess.run(command, capture_output=True, text=True).stdout
                try:
                    plan = json.loads(text)
                except ValueError:
                    complain(seed, f"the planner prints no JSON: {text[:80]!r}")
                    continue
                for fault in check_plan.check(document, plan, capacity)[:3]:
                    complain(seed, f"planner: {fault}")
                if (plan["status"], plan["cost_bytes"]) != ("optimal", cost):
                    complain(seed, f"the planner says {plan['status']} {plan['cost_bytes']}, the oracle {cost}")
    print(
        f"{args.count} graphs, {nonzero} with an optimum above 0, {unpacked} oracle plans without addresses, "
        f"{damages} damaged plans, {wrong} disagreements"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
