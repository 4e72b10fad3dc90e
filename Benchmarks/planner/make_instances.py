#!/usr/bin/env python3
"""Chooses the graphs and capacities of the comparison and prints `instances.csv`.

For each family the seed counts up from a start value to the first graph whose smallest peak, found by a beam search
over orders, is above M_R, so that something probably has to be spilled. The capacity is M_R (`_mr`) or half way to
that peak (`_mid`). No planner or solver is asked.

Example: make_instances.py > instances.csv
"""

import argparse

import graph_io
from random_wired import random_wired

# (nodes, k, p, channels, resolution, stages, first seed, budget); without a first seed the one after the last is taken
FAMILIES = [
    *((nodes, 4, 0.75, 78, 28, 1, start, budget)
      for nodes in (10, 12, 14, 16, 18, 20, 22, 24, 28, 32, 36, 40) for start, budget in ((21, "mr"), (None, "mid"))),
    *((nodes, 4, 0.25, 64, 32, 1, 41, "mr") for nodes in (10, 16, 24, 32)),
    *((nodes, 2, 0.75, 96, 28, 1, 51, "mr") for nodes in (12, 20, 40)),
    (20, 6, 0.75, 78, 28, 1, 61, "mr"),
    *((nodes, 4, 0.75, 78, 28, 2, 71, "mr") for nodes in (10, 14, 20)),
    (16, 4, 0.75, 78, 28, 2, 81, "mid"),
]  # fmt: skip


def smallest_peak(graph, width=40):
    """An upper bound of the smallest peak over all orders without spilling, in bytes."""
    readers = [sum(1 << op for op in ops) for ops in graph.consumers]
    before = [sum(1 << graph.producer[a] for a in ins if graph.producer[a] is not None) for ins in graph.inputs]
    beam = {0: (0, frozenset())}
    for _ in range(graph.op_count):
        following = {}
        for done, (peak, live) in beam.items():
            held = sum(graph.size[a] for a in live)
            for op in range(graph.op_count):
                if done >> op & 1 or before[op] & ~done:
                    continue
                touched = {*graph.inputs[op], *graph.outputs[op]}
                load = held + sum(graph.size[a] for a in touched - live)
                now = done | 1 << op
                entry = (max(peak, load), frozenset(a for a in live | touched if readers[a] & ~now))
                if now not in following or entry[0] < following[now][0]:
                    following[now] = entry
        best = sorted(following.items(), key=lambda item: (item[1][0], sum(graph.size[a] for a in item[1][1])))
        beam = dict(best[:width])
    return min(peak for peak, _ in beam.values())


def main():
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    print("name,nodes,k,p,channels,resolution,seed,stages,capacity")
    seed = 0
    for nodes, k, p, channels, resolution, stages, start, budget in FAMILIES:
        seed = seed + 1 if start is None else start
        # The size of the smallest tensors: later stages have double the channels at a quarter of the area.
        unit = channels * resolution * resolution >> stages - 1
        while True:
            graph = graph_io.parse(random_wired(nodes, k, p, channels, resolution, seed, stages))
            room = smallest_peak(graph) - graph.max_footprint
            if room > (unit if budget == "mid" else 0):
                break
            seed += 1
        capacity = graph.max_footprint + (room // 2 // unit * unit if budget == "mid" else 0)
        name = f"ws{nodes}{f'x{stages}' if stages > 1 else ''}_k{k}_s{seed}_{budget}"
        print(name, nodes, k, p, channels, resolution, seed, stages, capacity, sep=",", flush=True)


if __name__ == "__main__":
    main()
