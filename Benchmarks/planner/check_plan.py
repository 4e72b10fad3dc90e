#!/usr/bin/env python3
"""Independent checker of a memory plan: replays the plan's JSON against the graph's JSON.

It shares no code with the planner nor with the other scripts here. Checked are
 - the order: a topological order of all ops, each once;
 - residency: the address records of a tensor are half-open intervals of steps; a record starts where the tensor is
   produced, where it is fetched, or where a graph input is first used; operands and results are resident at their step;
   a tensor changes its address only through DRAM;
 - copies: a fetch needs a DRAM copy, which graph inputs have from the start, graph outputs from their production on,
   and other tensors from their spill on; a spill needs a resident tensor without a copy;
 - addresses: inside the capacity, a multiple of the alignment, no two overlapping records share a byte at a step;
 - the figures: cost is the bytes of all spills and fetches, bound <= cost, gap = (cost - bound) / max(cost, 1), peak;
   `optimal` has gap 0, `infeasible` needs an op that does not fit.
Exit status: 0 without a fault, 1 with (the first ones are printed), 2 when a file can not be read.

Example: check_plan.py graph.json plan.json --capacity 366912
"""

import argparse
import json
import sys

STATUSES = ("optimal", "feasible", "infeasible", "inconclusive")
NUMBERS = ("cost_bytes", "lower_bound_bytes", "gap", "peak_bytes", "states", "cpu_seconds")


class Checker:
    """Replays one plan; `faults` collects what is wrong in the order it is found."""

    def __init__(self, graph, plan, capacity, alignment=1):
        self.plan, self.capacity, self.alignment = plan, capacity, alignment
        self.faults = []
        self.tensors = {t["id"]: t for t in graph["tensors"]}
        self.ops = {o["id"]: o for o in graph["ops"]}
        self.size = {id: t["bytes"] for id, t in self.tensors.items()}
        self.producer = {a: o["id"] for o in graph["ops"] for a in o["outputs"]}
        self.step_of = {}
        self.records = {}

    def fault(self, message):
        self.faults.append(message)

    def label(self, tensor):
        return f"tensor {tensor} '{self.tensors[tensor]['name']}'"

    def footprint(self, op):
        return sum(self.size[a] for a in {*self.ops[op]["inputs"], *self.ops[op]["outputs"]})

    def run(self):
        """Check everything; returns the faults."""
        self.check_shape()
        if self.faults:
            return self.faults
        status = self.plan["status"]
        if status == "infeasible":
            widest = max(self.footprint(op) for op in self.ops)
            if widest <= self.capacity:
                self.fault(f"status is infeasible but every op fits, the widest in {widest} of {self.capacity} bytes")
            return self.faults
        if status == "inconclusive" and not self.plan["order"]:
            return self.faults
        self.check_order()
        if self.faults:
            return self.faults
        self.check_records()
        self.check_residency()
        self.check_addresses()
        self.check_figures()
        return self.faults

    def check_shape(self):
        """Keys, types and known ids, so that the later checks can rely on them."""
        plan = self.plan
        for key in ("method", "status", "order", "spills", "fetches", "addresses", *NUMBERS):
            if key not in plan:
                self.fault(f"key '{key}' is missing")
        if self.faults:
            return
        if plan["status"] not in STATUSES:
            self.fault(f"unknown status '{plan['status']}'")
        if plan["status"] in ("optimal", "feasible"):
            for key in NUMBERS:
                if not is_number(plan[key]) or plan[key] < 0:
                    self.fault(f"'{key}' is {plan[key]!r}, not a number of at least 0")
        for op in plan["order"]:
            if op not in self.ops:
                self.fault(f"order names op {op!r}, which the graph does not have")
        fields = {"spills": ("step",), "fetches": ("step",), "addresses": ("from", "to", "offset")}
        for key, numbers in fields.items():
            for entry in plan[key]:
                if entry.get("tensor") not in self.tensors:
                    self.fault(f"{key} names tensor {entry.get('tensor')!r}, which the graph does not have")
                for name in numbers:
                    value = entry.get(name)
                    if not isinstance(value, int) or isinstance(value, bool):
                        self.fault(f"{key} of tensor {entry.get('tensor')!r}: '{name}' is {value!r}, not an integer")

    def check_order(self):
        order = self.plan["order"]
        for step, op in enumerate(order):
            if op in self.step_of:
                self.fault(f"op {op} runs twice, at steps {self.step_of[op]} and {step}")
            self.step_of.setdefault(op, step)
        for op in self.ops:
            if op not in self.step_of:
                self.fault(f"op {op} does not run")
        if self.faults:
            return
        for op, entry in self.ops.items():
            for a in entry["inputs"]:
                source = self.producer.get(a)
                if source is not None and self.step_of[source] >= self.step_of[op]:
                    self.fault(
                        f"op {op} at step {self.step_of[op]} reads {self.label(a)} "
                        f"before op {source} makes it at step {self.step_of[source]}"
                    )

    def check_records(self):
        """Sort the address records of each tensor and reject empty, overlapping and outlying ones."""
        step_count = len(self.plan["order"])
        for entry in self.plan["addresses"]:
            self.records.setdefault(entry["tensor"], []).append((entry["from"], entry["to"], entry["offset"]))
        for a, records in self.records.items():
            records.sort()
            for start, end, _ in records:
                if not 0 <= start < end <= step_count:
                    self.fault(f"{self.label(a)}: interval [{start}, {end}) is empty or outside of {step_count} steps")
            for (_, end, _), (start, _, _) in zip(records, records[1:]):
                if start < end:
                    self.fault(f"{self.label(a)}: two address records overlap at step {start}")

    def is_resident(self, tensor, step):
        return any(start <= step < end for start, end, _ in self.records.get(tensor, ()))

    def check_residency(self):
        """Replay step by step: starts of residency, spills before fetches, then the op."""
        plan = self.plan
        consumers = {a: [] for a in self.tensors}
        for op, entry in self.ops.items():
            for a in set(entry["inputs"]):
                consumers[a].append(self.step_of[op])
        spills, fetches = by_step(plan["spills"]), by_step(plan["fetches"])
        for key, table in (("spill", spills), ("fetch", fetches)):
            for step in table:
                if not 0 <= step < len(plan["order"]):
                    self.fault(f"a {key} of {self.label(table[step][0])} is at step {step}, outside of the plan")
        has_copy = {a for a in self.tensors if a not in self.producer}
        was_resident = set()
        for step, op in enumerate(plan["order"]):
            entry = self.ops[op]
            for a in spills.get(step, ()):
                if not self.is_resident(a, step - 1):
                    self.fault(f"{self.label(a)} is spilled before step {step} but not resident at step {step - 1}")
                elif a in has_copy:
                    self.fault(f"{self.label(a)} is spilled before step {step} but has a DRAM copy already")
                has_copy.add(a)
            for a in fetches.get(step, ()):
                if a not in has_copy:
                    self.fault(f"{self.label(a)} is fetched before step {step} without a DRAM copy")
                if all(start != step for start, _, _ in self.records.get(a, ())):
                    self.fault(f"{self.label(a)} is fetched before step {step} but no residency starts there")
            starting = [a for a, records in self.records.items() if any(start == step for start, _, _ in records)]
            for a in starting:
                is_new_input = a not in self.producer and a not in was_resident
                is_first_use = is_new_input and step == min(consumers[a], default=-1)
                reasons = (a in entry["outputs"]) + fetches.get(step, []).count(a) + is_first_use
                if reasons == 0:
                    self.fault(
                        f"{self.label(a)} becomes resident at step {step} without production, fetch or first use"
                    )
                if reasons > 1:
                    self.fault(f"{self.label(a)} is fetched before step {step} although its arrival there is free")
                was_resident.add(a)
            for role, operands in (("operand", entry["inputs"]), ("result", entry["outputs"])):
                for a in dict.fromkeys(operands):
                    if not self.is_resident(a, step):
                        self.fault(f"{role} {self.label(a)} of op {op} is not resident at step {step}")
            for a in entry["outputs"]:
                if self.is_resident(a, step - 1) and step > 0:
                    self.fault(f"{self.label(a)} is resident before op {op} makes it at step {step}")
                if self.tensors[a]["kind"] == "output":
                    has_copy.add(a)
            load = sum(self.size[a] for a in self.records if self.is_resident(a, step))
            if load > self.capacity:
                self.fault(f"step {step} holds {load} bytes, capacity is {self.capacity}")

    def check_addresses(self):
        flat = []
        for a, records in self.records.items():
            for start, end, offset in records:
                flat.append((start, end, offset, a))
                if offset < 0 or offset + self.size[a] > self.capacity:
                    self.fault(
                        f"{self.label(a)} at [{offset}, {offset + self.size[a]}) is outside of {self.capacity} bytes"
                    )
                if offset % self.alignment:
                    self.fault(f"{self.label(a)} at offset {offset} is not aligned to {self.alignment}")
        for i, (start, end, offset, a) in enumerate(flat):
            for other_start, other_end, other_offset, b in flat[:i]:
                meet = start < other_end and other_start < end
                if meet and offset < other_offset + self.size[b] and other_offset < offset + self.size[a]:
                    self.fault(
                        f"{self.label(a)} at {offset} and {self.label(b)} at {other_offset} share bytes "
                        f"at step {max(start, other_start)}"
                    )

    def check_figures(self):
        plan = self.plan
        cost = sum(self.size[e["tensor"]] for e in plan["spills"] + plan["fetches"])
        bound = plan["lower_bound_bytes"]
        if plan["cost_bytes"] != cost:
            self.fault(f"cost_bytes is {plan['cost_bytes']}, spills and fetches move {cost}")
        if bound > cost:
            self.fault(f"lower_bound_bytes {bound} is above the cost {cost}")
        gap = (cost - bound) / max(cost, 1)
        if abs(plan["gap"] - gap) > 1e-6:
            self.fault(f"gap is {plan['gap']}, cost {cost} and bound {bound} give {gap:.6f}")
        if plan["status"] == "optimal" and bound != cost:
            self.fault(f"status is optimal but the bound is {bound} and the cost {cost}")
        loads = [
            sum(self.size[a] for a in self.records if self.is_resident(a, step)) for step in range(len(plan["order"]))
        ]
        tops = [offset + self.size[a] for a, records in self.records.items() for _, _, offset in records]
        peaks = {max(loads, default=0), max(tops, default=0)}
        if plan["peak_bytes"] not in peaks:
            self.fault(f"peak_bytes is {plan['peak_bytes']}, the largest load or address is {sorted(peaks)}")


class StreamedChecker(Checker):
    """Replays a plan in which operands and results may pass through a tile buffer, which is not part of `capacity`.

    A tensor is on chip from one use to the next when one address record covers both and all steps between; else the later use fetches it,
    and the first time, unless it is off chip anyway, it must have been spilled.
    """

    def check_residency(self):
        plan = self.plan
        moves = {key: {} for key in ("spills", "fetches")}
        for key, table in moves.items():
            for entry in plan[key]:
                table.setdefault(entry["tensor"], []).append(entry["step"])
        uses = {a: set() for a in self.tensors}
        for op, entry in self.ops.items():
            for a in entry["inputs"] + entry["outputs"]:
                uses[a].add(self.step_of[op])
        for a, steps in uses.items():
            steps = sorted(steps)
            missed = [
                (first, last)
                for first, last in zip(steps, steps[1:])
                if not any(start <= first and last < end for start, end, _ in self.records.get(a, ()))
            ]
            fetched = sorted(moves["fetches"].get(a, ()))
            if fetched != [last for _, last in missed]:
                self.fault(f"{self.label(a)} is fetched at steps {fetched}, its residency asks for {missed}")
            spilled = moves["spills"].get(a, ())
            has_copy = a not in self.producer or self.tensors[a]["kind"] == "output"
            if len(spilled) != (1 if missed and not has_copy else 0):
                self.fault(f"{self.label(a)} is spilled at steps {spilled}, with fetches at {fetched}")
            elif spilled and not missed[0][0] <= spilled[0] <= missed[0][1]:
                self.fault(f"{self.label(a)} is spilled at step {spilled[0]}, and first missed between {missed[0]}")
        for step in range(len(plan["order"])):
            load = sum(self.size[a] for a in self.records if self.is_resident(a, step))
            if load > self.capacity:
                self.fault(f"step {step} holds {load} bytes beside the tile buffer, there is room for {self.capacity}")


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def by_step(entries):
    table = {}
    for entry in entries:
        table.setdefault(entry["step"], []).append(entry["tensor"])
    return table


def check(graph, plan, capacity, alignment=1, tile_buffer=None):
    """Faults of a plan for a graph (both decoded JSON), an empty list when it holds."""
    if tile_buffer is not None:
        return StreamedChecker(graph, plan, capacity - tile_buffer, alignment).run()
    return Checker(graph, plan, capacity, alignment).run()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("graph", help="graph JSON")
    parser.add_argument("plan", help="plan JSON, or - for standard input")
    parser.add_argument("--capacity", type=int, required=True, help="capacity in bytes")
    parser.add_argument("--alignment", type=int, default=1, help="alignment of offsets in bytes (default 1)")
    parser.add_argument("--tile-buffer", type=int, help="operands may stream through a buffer of so many bytes")
    parser.add_argument("--limit", type=int, default=8, help="faults to print (default 8)")
    args = parser.parse_args()
    try:
        with open(args.graph) as file:
            graph = json.load(file)
        with sys.stdin if args.plan == "-" else open(args.plan) as file:
            plan = json.load(file)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    faults = check(graph, plan, args.capacity, args.alignment, args.tile_buffer)
    for fault in faults[: args.limit]:
        print(f"fault: {fault}")
    if len(faults) > args.limit:
        print(f"... and {len(faults) - args.limit} more")
    if not faults:
        print(f"{plan['status']}: cost {plan['cost_bytes']}, bound {plan['lower_bound_bytes']}, no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
