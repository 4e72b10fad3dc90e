#!/usr/bin/env python3
"""Writes the topology of ResNet-18 as SCALE-Sim reads it: Workloads/topologies/resnet18.csv.

Sizes follow from the network (He et al., "Deep residual learning for image recognition", CVPR 2016). As in the tool's own
networks the image is 224x224, feature maps carry no padding, and a block is its two convolutions with, where channels grow, a 1x1
convolution beside them.
"""
import sys


def layers():
    yield "Conv1", 224, 7, 3, 64, 2
    channels, size = 64, 56
    for stage, filters in enumerate((64, 128, 256, 512), start=2):
        grows = filters != channels
        yield f"Conv{stage}_1a", size, 3, channels, filters, 2 if grows else 1
        after = size // 2 if grows else size
        yield f"Conv{stage}_1b", after, 3, filters, filters, 1
        if grows:
            yield f"Conv{stage}_s", size, 1, channels, filters, 2
        yield f"Conv{stage}_2a", after, 3, filters, filters, 1
        yield f"Conv{stage}_2b", after, 3, filters, filters, 1
        channels, size = filters, after
    yield "FC", 1, 1, 512, 1000, 1


def text():
    lines = ["Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,"]
    for name, size, window, channels, filters, stride in layers():
        lines.append(f"{name}, {size}, {size}, {window}, {window}, {channels}, {filters}, {stride},")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(text())
