#!/usr/bin/env python3
"""Gradients of single ops by PyTorch, as cases for the gradient tests.

    compare-torch.py OUT.json [CASES [SEED]]

Each case is a function of constants in text, the constants' values, a target, and the loss and gradients that PyTorch finds in
double precision. The tests run the step that `pantile opt --pass-pipeline=grad{...}` makes of the text on the same values and
compare within 1e-4 of the largest gradient. CASES are for each op (2 for the recorded file Tests/Filetests/gradients.json).
"""

import json
import random
import sys

import torch
import torch.nn.functional as F


class Cases:
    def __init__(self, count, seed):
        self.count = count
        self.random = random.Random(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.cases = []

    def pick(self, low, high):
        return self.random.randint(low, high)

    def shape(self, rank, high=4):
        return [self.pick(1, high) for _ in range(rank)]

    def values(self, shape, low=-1.0, high=1.0):
        """Multiples of 2^-10, exact in float32 and short in text."""
        value = torch.rand(shape, generator=self.generator, dtype=torch.float64) * (high - low) + low
        return (torch.round(value * 1024) / 1024).requires_grad_(True)

    def add(self, name, op, attributes, operands, function, loss="inner-product", target=None, frozen=()):
        result = function(*operands)
        if target is None:
            target = self.values(list(result.shape)).detach()
        if loss == "inner-product":
            value = (result * target).sum()
        elif loss == "mean-squared-error":
            value = F.mse_loss(result, target)
        else:
            value = F.cross_entropy(result, target)
        trained = [x for i, x in enumerate(operands) if i not in frozen]
        gradients = torch.autograd.grad(value, trained)

        def kind(shape):
            return "tensor<" + "".join(f"{size}x" for size in shape) + "f32>"

        names = [f"p{i}" for i in range(len(operands))]
        lines = []
        for i, (label, x) in enumerate(zip(names, operands)):
            if i in frozen:
                text = json.dumps(x.detach().tolist())
                lines.append(f"  %{label} = dnn.constant {{value = dense<{text}> : {kind(x.shape)}}} : {kind(x.shape)}")
            else:
                lines.append(f'  %{label} = dnn.constant {{value = #dnn.seeded<"{label}", -1.0, 1.0>}} : {kind(x.shape)}')
        block = f" {{{attributes}}}" if attributes else ""
        signature = ", ".join(kind(x.shape) for x in operands)
        inputs = ", ".join("%" + label for label in names)
        lines.append(f"  %y = dnn.{op} {inputs}{block} : ({signature}) -> {kind(result.shape)}")
        lines.append(f"  func.return %y : {kind(result.shape)}")
        text = f"func.func @main() -> {kind(result.shape)} {{\n" + "\n".join(lines) + "\n}\n"
        used = [label for i, label in enumerate(names) if i not in frozen]
        self.cases.append({
            "name": name, "text": text, "options": f"loss={loss} optimizer=none parameters={','.join(used)}",
            "target": target.flatten().tolist(), "values": [x.detach().flatten().tolist() for x in trained],
            "loss": value.item(),
            "gradients": [[float(f"{g:.9g}") for g in gradient.flatten().tolist()] for gradient in gradients],
        })

    def repeat(self, make):
        for index in range(self.count):
            make(index)


def windows(cases):
    def conv(index, transposed=False):
        while True:
            groups = cases.random.choice([1, 1, 2, 3])
            each, filters = cases.pick(1, 3), groups * cases.pick(1, 3)
            kernel, stride = [cases.pick(1, 3), cases.pick(1, 3)], [cases.pick(1, 3), cases.pick(1, 3)]
            dilation, pads = [cases.pick(1, 2), cases.pick(1, 2)], [cases.pick(0, 2) for _ in range(4)]
            size = [cases.pick(2, 6), cases.pick(2, 6)]
            if all(size[d] + pads[d] + pads[d + 2] > dilation[d] * (kernel[d] - 1) for d in range(2)):
                break
        attributes = f"strides = {stride}, pads = {pads}, dilations = {dilation}, groups = {groups}"
        bias = index % 2 == 0
        if not transposed:
            x, w = cases.values([cases.pick(1, 2), groups * each] + size), cases.values([filters, each] + kernel)
            operands = [x, w] + ([cases.values([filters])] if bias else [])

            def function(x, w, b=None):
                padded = F.pad(x, [pads[1], pads[3], pads[0], pads[2]])
                return F.conv2d(padded, w, b, stride, 0, dilation, groups)

            cases.add("conv2d", "conv2d", attributes, operands, function)
            return
        extents = [(size[d] - 1) * stride[d] + dilation[d] * (kernel[d] - 1) + 1 for d in range(2)]
        if any(extents[d] - pads[d] - pads[d + 2] < 1 for d in range(2)):
            return conv(index, transposed)
        x, w = cases.values([cases.pick(1, 2), filters] + size), cases.values([filters, each] + kernel)
        operands = [x, w] + ([cases.values([groups * each])] if bias else [])

        def function(x, w, b=None):
            y = F.conv_transpose2d(x, w, b, stride, 0, 0, groups, dilation)
            return y[:, :, pads[0]:extents[0] - pads[2], pads[1]:extents[1] - pads[3]]

        cases.add("conv_transpose2d", "conv_transpose2d", attributes, operands, function)

    cases.repeat(conv)
    cases.repeat(lambda index: conv(index, True))

    def pool(index, kind):
        kernel, stride = [cases.pick(1, 3), cases.pick(1, 3)], [cases.pick(1, 3), cases.pick(1, 3)]
        pads = [cases.pick(0, kernel[0] // 2), cases.pick(0, kernel[1] // 2)]
        x = cases.values(cases.shape(2, 3) + [cases.pick(3, 7), cases.pick(3, 7)])
        attributes = f"kernel = {kernel}, strides = {stride}, pads = {pads + pads}"
        if kind == "max_pool2d":
            cases.add(kind, kind, attributes, [x], lambda x: F.max_pool2d(x, kernel, stride, pads))
        else:
            counted = index % 2 == 0
            cases.add(
                kind, kind, attributes + f", count_include_pad = {'true' if counted else 'false'}", [x],
                lambda x: F.avg_pool2d(x, kernel, stride, pads, count_include_pad=counted))

    for kind in ("max_pool2d", "avg_pool2d"):
        cases.repeat(lambda index: pool(index, kind))
    cases.repeat(lambda index: cases.add(
        "global_avg_pool", "global_avg_pool", "", [cases.values(cases.shape(4))], lambda x: x.mean((2, 3), keepdim=True)))


def products(cases):
    def dense(index):
        n, k, o = cases.shape(3, 6)
        operands = [cases.values([n, k]), cases.values([o, k])] + ([cases.values([o])] if index % 2 == 0 else [])
        cases.add("fully_connected", "fully_connected", "", operands, lambda x, w, b=None: F.linear(x, w, b))

    def matmul(index):
        m, k, n = cases.shape(3, 5)
        ta, tb = cases.random.random() < 0.5, cases.random.random() < 0.5
        lead = cases.random.choice([([], []), ([2], []), ([2], [2]), ([2, 1], [3]), ([], [2])])
        a = cases.values(lead[0] + ([k, m] if ta else [m, k]))
        b = cases.values(lead[1] + ([n, k] if tb else [k, n]))
        cases.add(
            "matmul", "matmul", f"transpose_a = {str(ta).lower()}, transpose_b = {str(tb).lower()}", [a, b],
            lambda a, b: torch.matmul(a.mT if ta else a, b.mT if tb else b))

    cases.repeat(dense)
    cases.repeat(matmul)


def functions(cases):
    unary = [
        ("relu", "", torch.relu, -1, 1), ("leaky_relu", "alpha = 0.25 : f32", lambda x: F.leaky_relu(x, 0.25), -1, 1),
        ("sigmoid", "", torch.sigmoid, -3, 3), ("tanh", "", torch.tanh, -3, 3), ("gelu", "", F.gelu, -3, 3),
        ("gelu", 'approximate = "tanh"', lambda x: F.gelu(x, approximate="tanh"), -3, 3), ("silu", "", F.silu, -3, 3),
        ("elu", "alpha = 0.5 : f32", lambda x: F.elu(x, 0.5), -2, 2), ("softplus", "", F.softplus, -3, 3),
        ("hard_swish", "", F.hardswish, -4, 4),
        ("hard_sigmoid", "alpha = 0.125 : f32, beta = 0.5 : f32", lambda x: torch.clamp(x / 8 + 0.5, 0, 1), -5, 5),
        ("erf", "", torch.erf, -1, 1), ("exp", "", torch.exp, -1, 1), ("log", "", torch.log, 0.25, 2),
        ("sqrt", "", torch.sqrt, 0.25, 2), ("rsqrt", "", torch.rsqrt, 0.25, 2),
        ("reciprocal", "", torch.reciprocal, 0.25, 2), ("sin", "", torch.sin, -3, 3), ("cos", "", torch.cos, -3, 3),
        ("neg", "", torch.neg, -1, 1), ("abs", "", torch.abs, -1, 1),
        ("clamp", "min = -0.5 : f32, max = 0.75 : f32", lambda x: torch.clamp(x, -0.5, 0.75), -1, 1),
    ]
    for name, attributes, function, low, high in unary:
        cases.repeat(lambda index: cases.add(
            name, name, attributes, [cases.values(cases.shape(2, 5), low, high)], function))
    binary = [
        ("add", torch.add, -1), ("sub", torch.sub, -1), ("mul", torch.mul, -1), ("div", torch.div, 0.25),
        ("max", torch.maximum, -1), ("min", torch.minimum, -1),
    ]
    for name, function, low in binary:
        def case(index):
            shape = cases.shape(3)
            other = [size if cases.random.random() < 0.6 else 1 for size in shape][cases.pick(0, 2):]
            cases.add(name, name, "", [cases.values(shape), cases.values(other, low, 1)], function)
        cases.repeat(case)
    cases.repeat(lambda index: cases.add(
        "pow", "pow", "", [cases.values([3, 2], 0.25, 2), cases.values([2], -2, 2)], torch.pow, frozen=(1,)))

    def prelu(index):
        c = cases.pick(1, 4)
        cases.add(
            "prelu", "prelu", "", [cases.values([2, c, 3]), cases.values([c, 1])],
            lambda x, s: torch.where(x < 0, x * s, x))

    cases.repeat(prelu)


def norms(cases):
    def layer(index):
        shape = cases.shape(3, 5)
        axis = cases.pick(1, 2)
        inner = shape[axis:]
        operands = [cases.values(shape), cases.values(inner, 0.5, 1.5), cases.values(inner)]
        cases.add(
            "layer_norm", "layer_norm", f"axis = {axis}, epsilon = 0.0009765625 : f32", operands,
            lambda x, s, b: F.layer_norm(x, inner, s, b, 2.0 ** -10))

    def rms(index):
        shape = cases.shape(3, 5)
        cases.add(
            "rms_norm", "rms_norm", "axis = 2, epsilon = 0.0009765625 : f32",
            [cases.values(shape), cases.values(shape[2:], 0.5, 1.5)],
            lambda x, s: F.rms_norm(x, shape[2:], s, 2.0 ** -10))

    def batch(index):
        shape = cases.shape(4, 3)
        c = [shape[1]]
        operands = [
            cases.values(shape), cases.values(c, 0.5, 1.5), cases.values(c), cases.values(c), cases.values(c, 0.5, 1.5)]
        cases.add(
            "batch_norm", "batch_norm", "epsilon = 0.0009765625 : f32", operands,
            lambda x, s, b, m, v: F.batch_norm(x, m.detach(), v.detach(), s, b, False, 0.1, 2.0 ** -10), frozen=(3, 4))

    for make in (layer, rms, batch):
        cases.repeat(make)
    for name, function in (("softmax", torch.softmax), ("log_softmax", torch.log_softmax)):
        def case(index):
            axis = cases.pick(0, 2)
            cases.add(name, name, f"axis = {axis}", [cases.values(cases.shape(3, 5), -3, 3)], lambda x: function(x, axis))
        cases.repeat(case)


def movements(cases):
    def reduction(index):
        axes = sorted(cases.random.sample(range(3), cases.pick(1, 3)))
        kept = cases.random.random() < 0.5
        name = ("reduce_sum", "reduce_mean")[index % 2]
        function = (torch.sum, torch.mean)[index % 2]
        cases.add(
            name, name, f"axes = {axes}, keepdims = {str(kept).lower()}", [cases.values(cases.shape(3))],
            lambda x: function(x, axes, keepdim=kept))

    def transpose(index):
        perm = cases.random.sample(range(4), 4)
        cases.add("transpose", "transpose", f"perm = {perm}", [cases.values(cases.shape(4, 3))], lambda x: x.permute(perm))

    def reshape(index):
        shape = cases.shape(3)
        to = [shape[0] * shape[1], shape[2]]
        cases.add("reshape", "reshape", f"shape = {to}", [cases.values(shape)], lambda x: x.reshape(to))

    def concat(index):
        shape, axis = cases.shape(3), cases.pick(0, 2)
        parts = []
        for _ in range(cases.pick(1, 3)):
            own = list(shape)
            own[axis] = cases.pick(1, 3)
            parts.append(cases.values(own))
        cases.add("concat", "concat", f"axis = {axis}", parts, lambda *parts: torch.cat(parts, axis))

    def pad(index):
        low, high = [cases.pick(0, 2) for _ in range(2)], [cases.pick(0, 2) for _ in range(2)]
        cases.add(
            "pad", "pad", f"low = {low}, high = {high}", [cases.values(cases.shape(2))],
            lambda x: F.pad(x, [low[1], high[1], low[0], high[0]]))

    def part(index):
        shape = [cases.pick(3, 6), cases.pick(3, 6)]
        start, step = [cases.pick(0, 2), cases.pick(0, 2)], [cases.pick(1, 3), cases.pick(1, 3)]
        cases.add(
            "slice", "slice", f"starts = {start}, ends = {shape}, steps = {step}", [cases.values(shape)],
            lambda x: x[start[0]::step[0], start[1]::step[1]])

    def expand(index):
        cases.add(
            "expand", "expand", "shape = [2, 3, 4]", [cases.values(cases.random.choice([[3, 1], [1, 4], [2, 1, 1]]))],
            lambda x: x.expand(2, 3, 4))

    for make in (reduction, transpose, reshape, concat, pad, part, expand):
        cases.repeat(make)


def losses(cases):
    def entropy(index):
        n, k, c = cases.pick(1, 5), cases.pick(1, 4), cases.pick(2, 6)
        target = torch.randint(0, c, [n], generator=cases.generator)
        cases.add(
            "softmax-cross-entropy", "fully_connected", "", [cases.values([n, k]), cases.values([c, k], -3, 3)], F.linear,
            loss="softmax-cross-entropy", target=target)

    def squares(index):
        n, k, c = cases.shape(3, 5)
        cases.add(
            "mean-squared-error", "fully_connected", "", [cases.values([n, k]), cases.values([c, k])], F.linear,
            loss="mean-squared-error")

    cases.repeat(entropy)
    cases.repeat(squares)


def main():
    path = sys.argv[1]
    cases = Cases(int(sys.argv[2]) if len(sys.argv) > 2 else 2, int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    for make in (windows, products, functions, norms, movements, losses):
        make(cases)
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases.cases) + "\n]\n")
    print(f"{len(cases.cases)} cases by PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
