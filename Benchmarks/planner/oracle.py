#!/usr/bin/env python3
"""Exhaustive oracle of the memory planning problem for small graphs (up to about 14 ops).

Free order, whole operands: a shortest path over states (set of ops run, set of resident tensors, set of tensors with a
DRAM copy). Moves are: evict a resident tensor, at the price of its write when it has no copy; run a ready op, fetching
the operands that are not resident at the price of their bytes, when operands, results and everything kept fit. The
first fetch of a graph input is free and a graph output has a copy once produced. Apart from equality of states there is
no dominance rule and no bound, so that nothing clever can be wrong. Fetching at the use is enough: an earlier fetch
costs the same and holds more.

`--order` fixes the order (`file`: that of the graph, or op ids separated by commas). `--stream BYTES` is the streaming
variant: an operand or result may pass through a buffer of that size instead of being resident, so an op has no
footprint and the capacity for residents is what the buffer leaves. `--plan FILE` writes a plan for
check_plan.py (whole operands only; addresses by first fit in many orders, `null` where that finds none).

Example: oracle.py graph.json --capacity 366912
"""

import argparse
import heapq
import json
import random
import sys

import graph_io


class StateLimit(Exception):
    """The search met its state budget before it had proved anything."""


def members(mask):
    """Indices of the set bits, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def mask_of(indices):
    mask = 0
    for index in indices:
        mask |= 1 << index
    return mask


class Problem:
    """Bit masks of a graph, shared by both searches."""

    def __init__(self, graph, fixed_order=None):
        self.graph = graph
        self.reads = [mask_of(a) for a in graph.inputs]
        self.writes = [mask_of(a) for a in graph.outputs]
        self.readers = [mask_of(ops) for ops in graph.consumers]
        self.graph_inputs = mask_of(a for a, given in enumerate(graph.is_input) if given)
        self.graph_outputs = mask_of(a for a, kept in enumerate(graph.is_output) if kept)
        self.before = [
            mask_of(graph.producer[a] for a in inputs if graph.producer[a] is not None) for inputs in graph.inputs
        ]
        if fixed_order is not None:
            for earlier, later in zip(fixed_order, fixed_order[1:]):
                self.before[later] |= 1 << earlier
        self.all_ops = (1 << graph.op_count) - 1

    def bytes(self, mask):
        return sum(self.graph.size[a] for a in members(mask))

    def ready(self, done):
        return (op for op in members(self.all_ops & ~done) if self.before[op] & ~done == 0)

    def live(self, mask, done):
        """The tensors of `mask` that an op outside of `done` reads."""
        return mask_of(a for a in members(mask) if self.readers[a] & ~done)

    def untouched(self, mask, done):
        """The tensors of `mask` that no op of `done` reads."""
        return mask_of(a for a in members(mask) if self.readers[a] & done == 0)


def whole_operand_moves(problem, capacity):
    """The moves of the whole-operand model: (state) -> [(cost, state, event)]."""

    def moves(state):
        done, resident, copied = state
        result = []
        for a in members(resident):
            write = 0 if copied >> a & 1 else problem.graph.size[a]
            result.append((write, (done, resident & ~(1 << a), copied | 1 << a), ("evict", a, write > 0)))
        for op in problem.ready(done):
            touched = problem.reads[op] | problem.writes[op]
            if problem.bytes(resident | touched) > capacity:
                continue
            missing = problem.reads[op] & ~resident
            # A produced tensor that is live and not resident was evicted, so it has a copy.
            assert missing & ~copied == 0
            free = problem.untouched(missing & problem.graph_inputs, done)
            now_done = done | 1 << op
            now_copied = copied | problem.writes[op] & problem.graph_outputs
            now_resident = problem.live(resident | touched, now_done)
            fetched = missing & ~free
            cost = problem.bytes(fetched)
            result.append((cost, (now_done, now_resident, problem.live(now_copied, now_done)), ("run", op, fetched)))
        return result

    return moves


def streaming_moves(problem, room):
    """The moves of the streaming model: after each op any live tensor it touches, or that was kept, may be kept on.

    A tensor occupies the chip at a step when it is kept into or out of the step and is either touched by the op or kept
    over it. A dropped tensor without a copy is written, an operand that was not kept is read.
    """

    def moves(state):
        done, kept, copied = state
        result = []
        for a in members(kept):
            write = 0 if copied >> a & 1 else problem.graph.size[a]
            result.append((write, (done, kept & ~(1 << a), copied | 1 << a), ("evict", a, write > 0)))
        for op in problem.ready(done):
            touched = problem.reads[op] | problem.writes[op]
            if problem.bytes(kept) > room:
                continue
            read = problem.reads[op] & ~kept
            read_cost = problem.bytes(read & ~problem.untouched(read & problem.graph_inputs, done))
            now_done = done | 1 << op
            over = kept & ~touched
            candidates = list(members(problem.live(touched, now_done)))
            for choice in range(1 << len(candidates)):
                stays = mask_of(a for i, a in enumerate(candidates) if choice >> i & 1)
                if problem.bytes(kept | stays) > room:
                    continue
                dropped = problem.live(touched, now_done) & ~stays
                written = dropped & ~copied & ~(problem.writes[op] & problem.graph_outputs)
                now_copied = copied | dropped | problem.writes[op] & problem.graph_outputs
                cost = read_cost + problem.bytes(written)
                after = (now_done, over | stays, problem.live(now_copied, now_done))
                result.append((cost, after, ("stream", op, stays)))
        return result

    return moves


def shortest(problem, moves, state_limit):
    """Dijkstra from nothing run to everything run: (cost, events, states), cost None when there is no path."""
    start = (0, 0, problem.live(problem.graph_inputs, 0))
    best, parent = {start: 0}, {start: None}
    queue, count = [(0, 0, start)], 0
    settled = set()
    while queue:
        cost, _, state = heapq.heappop(queue)
        if state in settled:
            continue
        settled.add(state)
        if len(settled) > state_limit:
            raise StateLimit(f"more than {state_limit} states")
        if state[0] == problem.all_ops:
            events = []
            while parent[state] is not None:
                state, event = parent[state]
                events.append(event)
            return cost, events[::-1], len(settled)
        for step_cost, after, event in moves(state):
            total = cost + step_cost
            if total < best.get(after, total + 1):
                best[after], parent[after] = total, (state, event)
                count += 1
                # Among equal costs the state with more ops run comes first, then the older entry.
                heapq.heappush(queue, (total, count - (after[0].bit_count() << 40), after))
    return None, [], len(settled)


def solve(graph, capacity, fixed_order=None, stream=None, state_limit=3_000_000):
    """Optimal cost in bytes (None when infeasible), the events of an optimal plan, and the states settled.

    `fixed_order` lists op indices; `stream` is the buffer size of the streaming variant.
    """
    problem = Problem(graph, fixed_order)
    if stream is None:
        moves = whole_operand_moves(problem, capacity)
    elif capacity < stream:
        return None, [], 0
    else:
        moves = streaming_moves(problem, capacity - stream)
    return shortest(problem, moves, state_limit)


def pack(segments, capacity, attempts=20000, seed=1):
    """Offsets for [(start, end, size)] by first fit in random orders that favour what did not fit, or None.

    Every packing pushed down is the result of first fit in some order, so on small plans this usually finds one.
    """
    rng = random.Random(seed)
    meets = [
        [j for j, other in enumerate(segments) if j != i and one[0] < other[1] and other[0] < one[1]]
        for i, one in enumerate(segments)
    ]
    order = sorted(range(len(segments)), key=lambda i: (-segments[i][2] * (segments[i][1] - segments[i][0]), i))
    for _ in range(attempts):
        offsets = {}
        for i in order:
            size, offset = segments[i][2], 0
            for low, high in sorted((offsets[j], offsets[j] + segments[j][2]) for j in meets[i] if j in offsets):
                if offset + size <= low:
                    break
                offset = max(offset, high)
            if offset + size > capacity:
                order.remove(i)
                order.insert(rng.randrange(order.index(next(j for j in order if j in meets[i])) + 1), i)
                if rng.random() < 0.3:
                    a, b = rng.randrange(len(order)), rng.randrange(len(order))
                    order[a], order[b] = order[b], order[a]
                break
            offsets[i] = offset
        else:
            return [offsets[i] for i in range(len(segments))]
    return None


def plan_document(graph, capacity, cost, events, states):
    """The events of the whole-operand search as a plan."""
    order, spills, fetches, records = [], [], [], []
    started = {}
    last_use = {}

    def close(tensor, end):
        records.append([tensor, started.pop(tensor), end])

    for kind, subject, detail in events:
        step = len(order)
        if kind == "evict":
            close(subject, step)
            if detail:
                spills.append({"tensor": graph.tensor_ids[subject], "step": step})
            continue
        for a in members(detail):
            fetches.append({"tensor": graph.tensor_ids[a], "step": step})
        for a in {*graph.inputs[subject], *graph.outputs[subject]}:
            started.setdefault(a, step)
            last_use[a] = step
        order.append(subject)
        for a in list(started):
            if all(reader in order for reader in graph.consumers[a]):
                close(a, step + 1)
    records.sort(key=lambda r: (r[1], r[0]))
    offsets = pack([(start, end, graph.size[a]) for a, start, end in records], capacity)
    loads = [sum(graph.size[a] for a, start, end in records if start <= s < end) for s in range(len(order))]
    return {
        "method": "exhaustive",
        "status": "optimal",
        "cost_bytes": cost,
        "lower_bound_bytes": cost,
        "gap": 0.0,
        "order": [graph.op_ids[op] for op in order],
        "spills": spills,
        "fetches": fetches,
        "addresses": offsets
        and [
            {"tensor": graph.tensor_ids[a], "from": start, "to": end, "offset": offset}
            for (a, start, end), offset in zip(records, offsets)
        ],
        "peak_bytes": max(loads, default=0),
        "states": states,
        "cpu_seconds": 0.0,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("graph", help="graph JSON")
    parser.add_argument("--capacity", type=int, help="capacity in bytes (default: the largest op footprint)")
    parser.add_argument("--order", help="'file' or op ids separated by commas; free by default")
    parser.add_argument("--stream", type=int, metavar="BYTES", help="streaming variant with a buffer of this size")
    parser.add_argument("--states", type=int, default=3_000_000, help="state budget (default 3000000)")
    parser.add_argument("--plan", metavar="FILE", help="write the plan there")
    args = parser.parse_args()
    graph = graph_io.load(args.graph)
    capacity = graph.max_footprint if args.capacity is None else args.capacity
    order = None
    if args.order == "file":
        order = list(range(graph.op_count))
    elif args.order:
        order = [graph.op_ids.index(int(op)) for op in args.order.split(",")]
        if sorted(order) != list(range(graph.op_count)):
            parser.error("--order needs each op once")
    if args.plan and args.stream is not None:
        parser.error("--plan is for whole operands only")
    try:
        cost, events, states = solve(graph, capacity, order, args.stream, args.states)
    except StateLimit as limit:
        print(f"inconclusive: {limit}")
        return 3
    if cost is None:
        print(f"infeasible at {capacity} bytes, the largest op needs {graph.max_footprint}")
        return 2
    print(f"optimal {cost} bytes at capacity {capacity}, {states} states")
    if args.plan:
        with open(args.plan, "w") as file:
            json.dump(plan_document(graph, capacity, cost, events, states), file)
            file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
