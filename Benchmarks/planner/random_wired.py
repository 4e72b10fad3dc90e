#!/usr/bin/env python3
"""Seeded generator of randomly wired networks.

The wiring of a stage is a connected Watts-Strogatz graph WS(nodes, k, p) whose edges point from the lower to the higher
node. A node sums the nodes it reads (no op for a single one) and applies a separable convolution, i.e. a depthwise 3x3
and a pointwise convolution, each one op. Nodes without a predecessor read the stage input; the stage output is the sum
of the nodes without a successor.

Source: S. Xie et al., Exploring Randomly Wired Neural Networks for Image Recognition, ICCV 2019.

Without `--stem` the network is a body: its input is the first stage's input at full size, later stages halve the
resolution and double the channels at their input nodes. With `--stem` two strided convolutions precede the stages, the
first stage is strided too, and a classifier follows. The op structure is that of the shipped `randwire_*` graphs; the
wiring of a seed is this script's own.

Example: random_wired.py --nodes 16 --seed 3 --out randwire_n16_k4_s3.json
"""

import argparse
import random

import graph_io


def watts_strogatz(node_count, k, p, rng):
    """Edges of a ring lattice of k neighbours whose far ends are rewired with probability p; None if not connected.

    Source: D. Watts, S. Strogatz, Collective dynamics of 'small-world' networks, Nature 393, 1998.
    """
    adjacent = [set() for _ in range(node_count)]
    nodes = list(range(node_count))

    def rotated(distance):
        return zip(nodes, nodes[distance:] + nodes[:distance])

    for distance in range(1, k // 2 + 1):
        for u, v in rotated(distance):
            adjacent[u].add(v)
            adjacent[v].add(u)
    for distance in range(1, k // 2 + 1):
        for u, v in rotated(distance):
            if rng.random() >= p:
                continue
            w = rng.choice(nodes)
            full = False
            while w == u or w in adjacent[u]:
                w = rng.choice(nodes)
                if len(adjacent[u]) >= node_count - 1:
                    full = True
                    break
            if full:
                continue
            adjacent[u].remove(v)
            adjacent[v].remove(u)
            adjacent[u].add(w)
            adjacent[w].add(u)
    reached, pending = {0}, [0]
    while pending:
        for v in adjacent[pending.pop()] - reached:
            reached.add(v)
            pending.append(v)
    if len(reached) < node_count:
        return None
    return sorted((u, v) for u in nodes for v in adjacent[u] if u < v)


def connected_watts_strogatz(node_count, k, p, rng):
    """Draw Watts-Strogatz graphs until one is connected."""
    if not 2 <= k < node_count:
        raise ValueError(f"k needs to be at least 2 and below the node count, got {k} of {node_count}")
    while True:
        edges = watts_strogatz(node_count, k, p, rng)
        if edges is not None:
            return edges


def append_stage(builder, source, edges, node_count, channels, stride):
    """Append one stage reading `source`; returns its output."""
    predecessors = [[] for _ in range(node_count)]
    has_successor = [False] * node_count
    for u, v in edges:
        predecessors[v].append(u)
        has_successor[u] = True
    results = []
    for node in range(node_count):
        read = [results[u] for u in predecessors[node]]
        aggregated = builder.add(read) if read else source
        filtered = builder.depthwise(aggregated, 3, stride=1 if read else stride)
        results.append(builder.conv(filtered, channels))
    return builder.add([results[node] for node in range(node_count) if not has_successor[node]])


def random_wired(nodes, k=4, p=0.75, channels=78, resolution=28, seed=0, stages=1, stem=False, name=None):
    """The JSON document of a randomly wired network."""
    rng = random.Random(seed)
    shape = f"WS({nodes},{k},{p}) seed {seed}, {stages} stage{'s' if stages > 1 else ''}"
    builder = graph_io.Builder(
        name or f"randwire_n{nodes}_k{k}_s{seed}", f"{shape}{'' if stem else ', body only'}; node = (sum, sepconv)"
    )
    if stem:
        source = builder.tensor((3, resolution, resolution), "input", "input")
        source = builder.conv(source, channels // 2, stride=2, kernel=3)
        source = builder.conv(source, channels, stride=2, kernel=3)
    else:
        source = builder.tensor((channels, resolution, resolution), "input", "input")
    for stage in range(stages):
        edges = connected_watts_strogatz(nodes, k, p, rng)
        stride = 2 if stem or stage > 0 else 1
        source = append_stage(builder, source, edges, nodes, channels << stage, stride)
    if stem:
        source = builder.head(builder.conv(source, 1280))
    return builder.finish([source])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nodes", type=int, required=True, help="nodes of a stage")
    parser.add_argument("--k", type=int, default=4, help="neighbours in the ring lattice (default 4)")
    parser.add_argument("--p", type=float, default=0.75, help="rewiring probability (default 0.75)")
    parser.add_argument("--channels", type=int, default=78, help="channels of the first stage (default 78)")
    parser.add_argument("--resolution", type=int, default=28, help="height and width of the input (default 28)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stages", type=int, default=1)
    parser.add_argument("--stem", action="store_true", help="add strided convolutions in front and a classifier")
    parser.add_argument("--name", help="graph name; derived from the parameters by default")
    parser.add_argument("--out", default="-", help="file to write (default: standard output)")
    args = vars(parser.parse_args())
    out = args.pop("out")
    try:
        graph_io.write(random_wired(**args), out)
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
