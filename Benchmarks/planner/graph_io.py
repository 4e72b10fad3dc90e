"""Graphs in the planner's JSON format: reading, building, writing.

A graph is `{name, note, dtype, tensors: [{id, name, bytes, kind, shape}],
ops: [{id, kind, inputs, outputs, weight_bytes}]}`.
Tensor kinds are `input`, `act` and `output`; activations are int8, so bytes is the product of the shape.
"""

import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Graph:
    """A planning problem: sizes, producers and consumers, indexed densely from 0.

    `op_ids` and `tensor_ids` map an index back to the id in the file.
    """

    name: str
    op_ids: list
    tensor_ids: list
    size: list
    is_input: list  # no producer: has a DRAM copy from the start, the first fetch is free
    is_output: list  # kind output: its write is compulsory, so it has a DRAM copy once produced
    inputs: list  # per op, distinct tensor indices
    outputs: list
    producer: list  # per tensor, op index or None
    consumers: list  # per tensor, op indices in file order

    @property
    def op_count(self):
        return len(self.inputs)

    def footprint(self, op):
        """Bytes of all operands and results of one op."""
        return sum(self.size[a] for a in {*self.inputs[op], *self.outputs[op]})

    @property
    def max_footprint(self):
        """M_R: the smallest capacity at which every op fits alone."""
        return max(self.footprint(op) for op in range(self.op_count))

    def ancestors(self):
        """Per op, the bit mask of ops that precede it in every order."""
        masks = [None] * self.op_count
        for op in self.topological_order():
            mask = 0
            for tensor in self.inputs[op]:
                source = self.producer[tensor]
                if source is not None:
                    mask |= masks[source] | 1 << source
            masks[op] = mask
        return masks

    def topological_order(self):
        """An order that runs the first ready op in file order at each step."""
        done, order = {None}, []
        left = list(range(self.op_count))
        while left:
            ready = next((op for op in left if all(self.producer[a] in done for a in self.inputs[op])), None)
            if ready is None:
                raise ValueError(f"graph '{self.name}' has a cycle")
            left.remove(ready)
            done.add(ready)
            order.append(ready)
        return order


def parse(document):
    """Make a `Graph` of a decoded JSON document."""
    tensor_index = {t["id"]: i for i, t in enumerate(document["tensors"])}
    tensors, ops = document["tensors"], document["ops"]
    producer = [None] * len(tensors)
    consumers = [[] for _ in tensors]
    inputs, outputs = [], []
    for o, op in enumerate(ops):
        inputs.append(list(dict.fromkeys(tensor_index[a] for a in op["inputs"])))
        outputs.append(list(dict.fromkeys(tensor_index[a] for a in op["outputs"])))
        for a in inputs[-1]:
            consumers[a].append(o)
        for a in outputs[-1]:
            if producer[a] is not None:
                raise ValueError(f"tensor {tensors[a]['id']} has two producers")
            producer[a] = o
    return Graph(
        name=document.get("name", "graph"),
        op_ids=[op["id"] for op in ops],
        tensor_ids=[t["id"] for t in tensors],
        size=[t["bytes"] for t in tensors],
        is_input=[p is None for p in producer],
        is_output=[t["kind"] == "output" for t in tensors],
        inputs=inputs,
        outputs=outputs,
        producer=producer,
        consumers=consumers,
    )


def load(path):
    """Read a `Graph` from a file."""
    with open(path) as file:
        return parse(json.load(file))


def digest(document):
    """A digest of what a planner sees: sizes, kinds and edges, neither names nor notes."""
    essence = [
        [[t["id"], t["bytes"], t["kind"]] for t in document["tensors"]],
        [[o["id"], o["inputs"], o["outputs"]] for o in document["ops"]],
    ]
    return hashlib.sha256(json.dumps(essence, separators=(",", ":")).encode()).hexdigest()[:16]


class Builder:
    """Appends tensors and ops in program order; tensors are named by id."""

    def __init__(self, name, note):
        self.document = {"name": name, "note": note, "dtype": "int8", "tensors": [], "ops": []}

    def tensor(self, shape, kind="act", name=None):
        tensors = self.document["tensors"]
        id = len(tensors)
        count = 1
        for extent in shape:
            count *= extent
        tensors.append({"id": id, "name": name or f"t{id}", "bytes": count, "kind": kind, "shape": list(shape)})
        return id

    def shape(self, tensor):
        return self.document["tensors"][tensor]["shape"]

    def op(self, kind, inputs, shape, weights=0):
        """Append an op with one result; returns the id of the result."""
        result = self.tensor(shape)
        ops = self.document["ops"]
        ops.append(
            {"id": len(ops), "kind": kind, "inputs": list(inputs), "outputs": [result], "weight_bytes": weights}
        )
        return result

    def conv(self, source, channels, stride=1, kernel=1):
        c, h, w = self.shape(source)
        return self.op("conv", [source], strided((channels, h, w), stride), c * channels * kernel * kernel)

    def depthwise(self, source, kernel, stride=1):
        c, h, w = self.shape(source)
        return self.op("dwconv", [source], strided((c, h, w), stride), c * kernel * kernel)

    def pool(self, kind, source, stride=1):
        return self.op(kind, [source], strided(self.shape(source), stride))

    def add(self, sources):
        """Sum of the sources; a single source is returned as it is."""
        return sources[0] if len(sources) == 1 else self.op("add", sources, self.shape(sources[0]))

    def concat(self, sources):
        if len(sources) == 1:
            return sources[0]
        _, h, w = self.shape(sources[0])
        return self.op("concat", sources, (sum(self.shape(s)[0] for s in sources), h, w))

    def head(self, source, classes=1000):
        """Global average pooling and a classifier."""
        channels = self.shape(source)[0]
        pooled = self.op("gap", [source], (channels, 1, 1))
        return self.op("fc", [pooled], (classes, 1, 1), channels * classes)

    def finish(self, outputs):
        """Mark the graph outputs and return the document."""
        for tensor in outputs:
            self.document["tensors"][tensor]["kind"] = "output"
        return self.document


def strided(shape, stride):
    channels, height, width = shape
    return (channels, -(-height // stride), -(-width // stride))


def write(document, path):
    """Write a document in the compact form of the shipped graphs; `-` is standard output."""
    text = json.dumps(document, separators=(",", ":")) + "\n"
    if path == "-":
        print(text, end="")
    else:
        with open(path, "w") as file:
            file.write(text)
