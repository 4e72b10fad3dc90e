#!/usr/bin/env python3
"""Writes the twelve hard graphs of the planner's tests and `list.csv` (name, ops, M_R in bytes) to a folder.

Seeds are chosen so that a beam search for the smallest peak ends clearly above M_R, i.e. most need spills at M_R.

Example: hard_set.py graphs
"""

import argparse
import os

import graph_io
from nas_cells import nas_cells
from random_wired import random_wired


def documents():
    """The graphs in order of size within their family."""
    for nodes, seed in ((16, 3), (18, 7), (20, 6), (24, 1), (28, 2), (32, 1), (40, 3)):
        yield random_wired(nodes, seed=seed, name=f"randwire_body{nodes}_s{seed}")
    yield random_wired(16, seed=5, stages=2, name="randwire_body16x2_s5")
    stacks = (("darts", 4, 6, 5), ("nasnet", 6, 8, 1), ("darts", 6, 12, 5), ("nasnet", 8, 20, 1))
    for style, blocks, cells, seed in stacks:
        yield nas_cells(blocks, cells, seed=seed, style=style)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="folder to write to")
    folder = parser.parse_args().folder
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "list.csv"), "w") as list_file:
        print("name,ops,M_R", file=list_file)
        for document in documents():
            graph_io.write(document, os.path.join(folder, document["name"] + ".json"))
            graph = graph_io.parse(document)
            print(f"{graph.name},{graph.op_count},{graph.max_footprint}", file=list_file)


if __name__ == "__main__":
    main()
