#!/usr/bin/env python3
"""Seeded generator of stacked NAS cells (DARTS, NASNet, PNASNet and AmoebaNet style) with random wiring.

One normal and one reduction cell are drawn from the seed and stacked: reduction cells stand at one third and two thirds
of the depth, halve the resolution and double the channels. A cell reads the outputs of the two cells before it, brings
each to its width by a pointwise convolution, and has `blocks` blocks; a block sums two operations on two earlier
states. The cell output is the concatenation of the states no block reads (`--style nasnet`) or of all blocks
(`--style darts`).

Operations: separable convolutions 3x3, 5x5, 7x7 (depthwise, pointwise, twice), dilated convolutions (depthwise,
pointwise), max and average pooling, identity (`fact_reduce` where it has a stride).

Sources: B. Zoph et al., Learning Transferable Architectures for Scalable Image Recognition, CVPR 2018; H. Liu et al.,
DARTS: Differentiable Architecture Search, ICLR 2019.

Example: nas_cells.py --blocks 5 --cells 6 --channels 36 --resolution 32 --seed 1 --out nas_b5_c6_s1.json
"""

import argparse
import random

import graph_io

SEPARABLE = {"sep3": 3, "sep5": 5, "sep7": 7}
DILATED = {"dil3": 3, "dil5": 5}
POOLS = {"max3": "maxpool", "avg3": "avgpool"}
# Separable convolutions dominate the searched cells, so they are drawn more often.
CHOICES = ["sep3", "sep3", "sep5", "sep5", "sep7", "dil3", "dil5", "max3", "avg3", "identity"]


def random_cell(blocks, rng):
    """A genotype: per block ((operation, state), (operation, state)); states 0 and 1 are the cell's inputs."""
    cell = []
    for block in range(blocks):
        while True:
            # A wide cell: half of the draws are among the two inputs, the others among all states.
            states = [rng.randrange(2 if rng.random() < 0.5 else 2 + block) for _ in range(2)]
            pair = tuple((rng.choice(CHOICES), state) for state in states)
            if pair[0] != pair[1]:
                cell.append(pair)
                break
    return cell


def append_operation(builder, operation, state, stride):
    """Append one operation on a state; identity without a stride is the state itself."""
    channels = builder.shape(state)[0]
    if operation in SEPARABLE:
        for step in (stride, 1):
            state = builder.conv(builder.depthwise(state, SEPARABLE[operation], step), channels)
        return state
    if operation in DILATED:
        return builder.conv(builder.depthwise(state, DILATED[operation], stride), channels)
    if operation in POOLS:
        return builder.pool(POOLS[operation], state, stride)
    if stride == 1:
        return state
    shape = graph_io.strided(builder.shape(state), stride)
    return builder.op("fact_reduce", [state], shape, channels * channels)


def append_cell(builder, cell, earlier, previous, channels, is_reduction, style):
    """Append one cell reading the outputs of the two cells before it; returns its output."""
    shrink = builder.shape(earlier)[1] // builder.shape(previous)[1]
    states = [builder.conv(earlier, channels, stride=shrink), builder.conv(previous, channels)]
    is_read = [True, True]
    for pair in cell:
        results = []
        for operation, state in pair:
            stride = 2 if is_reduction and state < 2 else 1
            results.append(append_operation(builder, operation, states[state], stride))
            is_read[state] = True
        states.append(builder.add(results))
        is_read.append(False)
    blocks = states[2:]
    loose = blocks if style == "darts" else [s for s, read in zip(blocks, is_read[2:]) if not read]
    return builder.concat(loose)


def nas_cells(blocks, cells, channels=36, resolution=32, seed=0, style="nasnet", name=None):
    """The JSON document of a stack of cells on a CIFAR-like stem, with a classifier."""
    rng = random.Random(seed)
    normal, reduction = random_cell(blocks, rng), random_cell(blocks, rng)
    builder = graph_io.Builder(
        name or f"nas_{style}_b{blocks}_c{cells}_s{seed}",
        f"{style} style, {cells} cells of {blocks} blocks, C {channels} res {resolution} seed {seed}",
    )
    image = builder.tensor((3, resolution, resolution), "input", "input")
    earlier = previous = builder.conv(image, 3 * channels, kernel=3)
    width = channels
    for index in range(cells):
        is_reduction = cells >= 3 and index in (cells // 3, 2 * cells // 3)
        if is_reduction:
            width *= 2
        cell = reduction if is_reduction else normal
        earlier, previous = previous, append_cell(builder, cell, earlier, previous, width, is_reduction, style)
    return builder.finish([builder.head(previous)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--blocks", type=int, default=5, help="blocks of a cell (default 5)")
    parser.add_argument("--cells", type=int, default=6, help="cells of the stack (default 6)")
    parser.add_argument("--channels", type=int, default=36, help="channels of the first cell (default 36)")
    parser.add_argument("--resolution", type=int, default=32, help="height and width of the image (default 32)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--style", choices=["nasnet", "darts"], default="nasnet", help="see above")
    parser.add_argument("--name", help="graph name; derived from the parameters by default")
    parser.add_argument("--out", default="-", help="file to write (default: standard output)")
    args = vars(parser.parse_args())
    out = args.pop("out")
    graph_io.write(nas_cells(**args), out)


if __name__ == "__main__":
    main()
