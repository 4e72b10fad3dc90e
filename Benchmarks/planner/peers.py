#!/usr/bin/env python3
"""General solvers on the free-order memory planning problem (capacity only, whole operands): CP-SAT and HiGHS.

Models
 - `time` (both solvers): the time-indexed model. Z[o,t] = op o has run by step t, for the steps between the number of
   o's ancestors and the number of ops minus that of its descendants; H[a,t] = tensor a is on chip at step t;
   R[a,t] = a is fetched for step t; y[a] = a is written. One row a step for the capacity.
 - `chain` (CP-SAT): positions with all-different and precedences. A use of a tensor is served on chip by an earlier
   use (or by the production), which then holds the tensor until that use, or it is a fetch; the holds are intervals in
   a cumulative of height M. No time index.

Configurations of CP-SAT, the better ones of a dozen tried with one worker: `chain` and `time` without linear relaxation
(3 times faster than with it), `core` is `chain` with core-guided optimisation, `mixed` is `chain` with the solver's own
portfolio interleaved on the one thread. HiGHS runs `time`.

To be fair to the solvers: sizes are divided by their greatest common divisor, windows come from the transitive closure,
a tensor that has one use pays its write and fetch with one variable, and the file's order with furthest-next-use
replacement is given as a starting solution. One thread. Limit and reported time are CPU seconds of reading, building
and solving; the start of Python and its imports are not counted.

The solvers live in a virtual environment that `--venv DIR` makes on first use (ortools and highspy from PyPI).

Example: peers.py graph.json --capacity 366912 --peer cp-sat/chain --limit 60
"""

import argparse
import json
import math
import os
import subprocess
import sys
import threading
import time
import venv

import graph_io

PACKAGES = ["ortools==9.15.6755", "highspy==1.16.0"]
# Per peer, its model and, for CP-SAT, its parameters.
PEERS = {
    "cp-sat/chain": ("chain", {"linearization_level": 0}),
    "cp-sat/core": ("chain", {"linearization_level": 0, "optimize_with_core": True}),
    "cp-sat/time": ("time", {"linearization_level": 0}),
    "cp-sat/mixed": ("chain", {"interleave_search": True}),
    "highs/time": ("time", {}),
}


# Problem


class Instance:
    """A graph with normalised sizes, the step windows of its ops and a starting plan in file order."""

    def __init__(self, graph, capacity):
        self.graph = graph
        self.unit = math.gcd(*graph.size)
        self.size = [s // self.unit for s in graph.size]
        self.capacity = capacity // self.unit
        self.step_count = graph.op_count
        before = graph.ancestors()
        after = [0] * graph.op_count
        for op, mask in enumerate(before):
            for earlier in range(graph.op_count):
                if mask >> earlier & 1:
                    after[earlier] |= 1 << op
        self.earliest = [mask.bit_count() for mask in before]
        self.latest = [self.step_count - 1 - mask.bit_count() for mask in after]
        self.is_feasible = graph.max_footprint <= capacity

    def needs_write(self, tensor):
        """Whether a fetch of the tensor needs a spill before: neither input nor output of the graph."""
        return not self.graph.is_input[tensor] and not self.graph.is_output[tensor]

    def starting_plan(self):
        """(order, held, fetched): file order, the tensors on chip at each step, the fetches before each step.

        When room is short the resident tensor with the furthest next use goes. The free first fetch of a graph input
        counts as a fetch here.
        """
        graph = self.graph
        order = graph.topological_order()
        step_of = {op: step for step, op in enumerate(order)}
        uses = [sorted(step_of[c] for c in graph.consumers[a]) for a in range(len(graph.size))]
        resident, held, fetched = set(), [], []
        for step, op in enumerate(order):
            touched = {*graph.inputs[op], *graph.outputs[op]}
            fetched.append(set(graph.inputs[op]) - resident)
            resident |= touched
            def next_use(a):
                return next((u for u in uses[a] if u > step), self.step_count)
            while sum(self.size[a] for a in resident) > self.capacity:
                resident.remove(max(resident - touched, key=lambda a: (next_use(a), a)))
            held.append(frozenset(resident))
            resident = {a for a in resident if next_use(a) < self.step_count}
        return order, held, fetched


# Time-indexed model


class LinearModel:
    """Columns and rows of an integer program; an expression is ({column: coefficient}, constant)."""

    def __init__(self):
        self.costs, self.start, self.upper = [], [], []
        self.rows = []  # (low, high, {column: coefficient})
        self.constant = 0

    def binary(self, cost=0, start=0):
        self.costs.append(cost)
        self.start.append(start)
        self.upper.append(1)
        return ({len(self.costs) - 1: 1}, 0)

    def row(self, low, terms, high):
        """Add low <= sum of factor * expression <= high; rows without columns are dropped."""
        total, constant = {}, 0
        for factor, (columns, offset) in terms:
            constant += factor * offset
            for column, coefficient in columns.items():
                total[column] = total.get(column, 0) + factor * coefficient
        total = {column: c for column, c in total.items() if c}
        if total:
            self.rows.append((low - constant, high - constant, total))


def time_indexed(instance, joins_uses):
    """The time-indexed model and its columns of Z.

    `joins_uses`: one row per tensor and step for the presence of operands (tight for an LP) or one clause per use.
    """
    graph, size, infinity = instance.graph, instance.size, math.inf
    model = LinearModel()
    order, held, fetched = instance.starting_plan()
    step_of = {op: step for step, op in enumerate(order)}
    steps = range(instance.step_count)
    zero, one = ({}, 0), ({}, 1)
    has_run = [
        [
            zero if t < instance.earliest[op] else one if t >= instance.latest[op]
            else model.binary(start=int(step_of[op] <= t))
            for t in steps
        ]
        for op in range(graph.op_count)
    ]

    def by(op, t):
        return has_run[op][t] if t >= 0 else zero

    for op in range(graph.op_count):
        for t in steps:
            model.row(-infinity, [(1, by(op, t - 1)), (-1, by(op, t))], 0)
    for t in steps:
        model.row(t + 1, [(1, by(op, t)) for op in range(graph.op_count)], t + 1)
    for a, source in enumerate(graph.producer):
        for reader in graph.consumers[a] if source is not None else ():
            for t in steps:
                model.row(-infinity, [(1, by(reader, t)), (-1, by(source, t - 1))], 0)

    load = [[] for _ in steps]
    for a, source in enumerate(graph.producer):
        readers = graph.consumers[a]
        touching = readers + ([source] if source is not None else [])
        if not touching:
            continue
        first = min(instance.earliest[op] for op in touching)
        last = max(instance.latest[op] for op in touching)
        single = len(readers) == 1
        price = size[a] * (2 if single and instance.needs_write(a) else 1)
        all_fetched = [t for t in steps if a in fetched[t]]
        write = None
        if instance.needs_write(a) and not single and readers:
            write = model.binary(size[a], int(bool(all_fetched)))
        if graph.is_input[a]:
            model.constant -= size[a]
        on_chip_before = zero
        fetches = []
        for t in range(first, last + 1):
            runs = [[(1, by(op, t)), (-1, by(op, t - 1))] for op in touching]
            if not readers:
                load[t] += [(size[a] * f, e) for f, e in runs[0]]
                continue
            on_chip = model.binary(start=int(a in held[t]))
            load[t].append((size[a], on_chip))
            if joins_uses:
                model.row(0, [(1, on_chip)] + [(-f, e) for run in runs for f, e in run], infinity)
            else:
                for run in runs:
                    model.row(0, [(1, on_chip)] + [(-f, e) for f, e in run], infinity)
            uses = [term for op, run in zip(touching, runs) if op != source for term in run]
            arrivals = list(runs[-1]) if source is not None else []
            if any(instance.earliest[r] <= t <= instance.latest[r] for r in readers):
                fetch = model.binary(price, int(t in all_fetched))
                fetches.append(fetch)
                arrivals.append((1, fetch))
                model.row(0, uses + [(-1, fetch)], infinity)
                if write:
                    model.row(0, [(1, write), (-1, fetch)], infinity)
            model.row(0, arrivals + [(1, on_chip_before), (-1, on_chip)], infinity)
            on_chip_before = on_chip
        if graph.is_input[a]:
            model.row(1, [(1, fetch) for fetch in fetches], infinity)
        if write:
            model.row(0, [(len(readers), write)] + [(-1, fetch) for fetch in fetches], infinity)
    for t in steps:
        model.row(-infinity, load[t], instance.capacity)
    return model


# Solvers; these import their package only when they run


def watch_cpu(limit, stop):
    """Call `stop` repeatedly once this process has used `limit` CPU seconds since its start."""

    def watch():
        while True:
            time.sleep(0.05)
            if time.process_time() >= limit:
                stop()

    threading.Thread(target=watch, daemon=True).start()


def solve_highs(instance, limit, give_up):
    """Returns (is optimal, cost, bound, version), or calls `give_up` when HiGHS does not stop at the limit."""
    import highspy
    import numpy

    model = time_indexed(instance, joins_uses=True)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.costs), len(model.rows)
    lp.col_cost_ = numpy.array(model.costs, dtype=float)
    lp.col_lower_, lp.col_upper_ = numpy.zeros(lp.num_col_), numpy.array(model.upper, dtype=float)
    lp.row_lower_ = numpy.array([row[0] for row in model.rows], dtype=float)
    lp.row_upper_ = numpy.array([row[1] for row in model.rows], dtype=float)
    lp.offset_ = float(model.constant)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * lp.num_col_
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = numpy.cumsum([0] + [len(row[2]) for row in model.rows]).astype(numpy.int32)
    lp.a_matrix_.index_ = numpy.array([c for row in model.rows for c in row[2]], dtype=numpy.int32)
    lp.a_matrix_.value_ = numpy.array([v for row in model.rows for v in row[2].values()], dtype=float)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("random_seed", 1)
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("mip_abs_gap", 0.999)  # the objective is integral
    highs.passModel(lp)
    start = highspy.HighsSolution()
    start.col_value = [float(v) for v in model.start]
    highs.setSolution(start)
    is_over = threading.Event()
    known = {"cost": sum(c * v for c, v in zip(model.costs, model.start)) + model.constant, "bound": 0}

    def poll_tree(event):
        """Note the state of the tree search; HiGHS works for minutes between two calls on large models."""
        if event.data_out.mip_primal_bound < known["cost"]:
            known["cost"] = round(event.data_out.mip_primal_bound)
        if math.isfinite(event.data_out.mip_dual_bound):
            known["bound"] = max(known["bound"], math.ceil(event.data_out.mip_dual_bound - 1e-6))
        poll(event)

    def poll(event):
        if is_over.is_set():
            event.data_in.user_interrupt = True

    def stop():
        is_over.set()
        if time.process_time() > 1.05 * limit:
            give_up(known["cost"], known["bound"], highs.version())

    highs.cbMipInterrupt.subscribe(poll_tree)
    for event in (highs.cbSimplexInterrupt, highs.cbIpmInterrupt):
        event.subscribe(poll)
    watch_cpu(limit, stop)
    highs.run()
    info = highs.getInfo()
    status = highs.getModelStatus()
    has_plan = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    is_optimal = status == highspy.HighsModelStatus.kOptimal
    cost = round(info.objective_function_value) if has_plan else None
    bound = cost if is_optimal else 0
    if not is_optimal and math.isfinite(info.mip_dual_bound):
        bound = max(0, math.ceil(info.mip_dual_bound - 1e-6))
    return is_optimal, cost, bound, highs.version()


def run_cp_sat(model, limit, options):
    """Run CP-SAT on a built model; returns (is optimal, cost, bound, version)."""
    import ortools
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    for name, value in options.items():
        setattr(solver.parameters, name, value)
    watch_cpu(limit, solver.stop_search)
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return False, None, 0, ortools.__version__
    bound = max(0, math.ceil(solver.best_objective_bound - 1e-6))
    return status == cp_model.OPTIMAL, round(solver.objective_value), bound, ortools.__version__


def solve_cp_sat_time(instance, limit, options):
    from ortools.sat.python import cp_model

    linear = time_indexed(instance, joins_uses=False)
    model = cp_model.CpModel()
    columns = [model.new_bool_var(f"x{i}") for i in range(len(linear.costs))]

    def integral(value, otherwise):
        return otherwise if math.isinf(value) else int(value)

    for low, high, terms in linear.rows:
        expression = cp_model.LinearExpr.weighted_sum([columns[c] for c in terms], list(terms.values()))
        domain = (integral(low, cp_model.INT_MIN), integral(high, cp_model.INT_MAX))
        model.add_linear_constraint(expression, *domain)
    for column, value in zip(columns, linear.start):
        model.add_hint(column, value)
    model.minimize(cp_model.LinearExpr.weighted_sum(columns, linear.costs) + linear.constant)
    return run_cp_sat(model, limit, options)


def solve_cp_sat_chain(instance, limit, options):
    from ortools.sat.python import cp_model

    graph, size = instance.graph, instance.size
    model = cp_model.CpModel()
    order, held, fetched = instance.starting_plan()
    step_of = {op: step for step, op in enumerate(order)}
    position = [
        model.new_int_var(instance.earliest[op], instance.latest[op], f"p{op}") for op in range(graph.op_count)
    ]
    for op, variable in enumerate(position):
        model.add_hint(variable, step_of[op])
    model.add_all_different(position)
    for a, source in enumerate(graph.producer):
        for reader in graph.consumers[a] if source is not None else ():
            model.add(position[reader] >= position[source] + 1)

    holds, demands, cost, constant = [], [], [], 0
    for a, source in enumerate(graph.producer):
        readers = graph.consumers[a]
        events = ([source] if source is not None else []) + readers
        if not events:
            continue
        uses_in_order = sorted(readers, key=step_of.get)
        before_in_order = dict(zip(uses_in_order, ([source] if source is not None else [None]) + uses_in_order))
        miss = {r: model.new_bool_var(f"miss{a}_{r}") for r in readers}
        for r in readers:
            model.add_hint(miss[r], int(a in fetched[step_of[r]]))
        follows = {e: [] for e in events}
        served = {r: [miss[r]] for r in readers}
        end = {e: model.new_int_var(instance.earliest[e] + 1, instance.step_count, f"e{a}_{e}") for e in events}
        for e in events:
            next_served = None
            for r in readers:
                if r == e or instance.latest[r] <= instance.earliest[e]:
                    continue
                link = model.new_bool_var(f"l{a}_{e}_{r}")
                is_hinted = before_in_order[r] == e and a not in fetched[step_of[r]]
                model.add_hint(link, int(is_hinted))
                if is_hinted:
                    next_served = r
                follows[e].append(link)
                served[r].append(link)
                model.add(end[e] == position[r]).only_enforce_if(link)
                model.add(position[e] + 1 <= position[r]).only_enforce_if(link)
            last = model.new_bool_var(f"last{a}_{e}")
            model.add_hint(last, int(next_served is None))
            model.add_exactly_one(follows[e] + [last])
            model.add(end[e] == position[e] + 1).only_enforce_if(last)
            model.add_hint(end[e], step_of[e] + 1 if next_served is None else step_of[next_served])
            span = model.new_int_var(1, instance.step_count, f"d{a}_{e}")
            model.add_hint(span, 1 if next_served is None else step_of[next_served] - step_of[e])
            holds.append(model.new_interval_var(position[e], span, end[e], f"h{a}_{e}"))
            demands.append(size[a])
        for r in readers:
            model.add_exactly_one(served[r])
        cost += [(size[a], miss[r]) for r in readers]
        if graph.is_input[a] and readers:
            model.add_bool_or(list(miss.values()))
            constant -= size[a]
        if instance.needs_write(a) and readers:
            write = model.new_bool_var(f"write{a}")
            model.add_hint(write, int(any(a in fetched[step_of[r]] for r in readers)))
            for r in readers:
                model.add_implication(miss[r], write)
            cost.append((size[a], write))
    model.add_cumulative(holds, demands, instance.capacity)
    model.minimize(sum(c * v for c, v in cost) + constant)
    return run_cp_sat(model, limit, options)


def solve_here(path, capacity, peer, limit, options):
    """Solve in this process; returns the result as a dictionary. `options` are added to those of the peer."""
    solver = peer.split("/")[0]
    model, parameters = PEERS[peer]
    if solver == "highs":
        import highspy  # noqa: F401
    else:
        import ortools.sat.python.cp_model  # noqa: F401
    imported = time.process_time()
    instance = Instance(graph_io.load(path), capacity)

    def result(is_optimal, cost, bound, version):
        return {
            "status": "optimal" if is_optimal else "feasible" if cost is not None else "unknown",
            "cost_bytes": None if cost is None else cost * instance.unit,
            "bound_bytes": bound * instance.unit,
            "version": version,
            "cpu_seconds": round(time.process_time() - imported, 2),
        }

    def give_up(cost, bound, version):
        print(json.dumps(result(False, cost, bound, version)), flush=True)
        os._exit(0)

    if not instance.is_feasible:
        return {"status": "infeasible", "cost_bytes": None, "bound_bytes": 0, "version": "", "cpu_seconds": 0.0}
    if solver == "highs":
        return result(*solve_highs(instance, imported + limit, give_up))
    solve = solve_cp_sat_time if model == "time" else solve_cp_sat_chain
    return result(*solve(instance, imported + limit, {**parameters, **options}))


# Subprocess


def interpreter(folder):
    """The Python of the solvers' virtual environment, which is made when it is missing."""
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def run(python, path, capacity, peer, limit=60, options=None):
    """Solve in a subprocess with a low priority; `total_cpu_seconds` is what the subprocess used in all.

    A process that is still alive at sixty times the limit of wall time is killed and reports `unknown`.
    """
    command = [
        "nice", "-n", "10", python, os.path.abspath(__file__), path, "--capacity", str(capacity), "--peer", peer,
        "--limit", str(limit), "--here", "--options", json.dumps(options or {}),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    killer = threading.Timer(60 * limit + 60, process.kill)
    killer.start()
    text = process.stdout.read()
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    killer.cancel()
    total = round(usage.ru_utime + usage.ru_stime, 2)
    last_line = text.strip().split("\n")[-1]
    if process.returncode == 0 and last_line.startswith("{"):
        return {**json.loads(last_line), "total_cpu_seconds": total}
    return {
        "status": "unknown", "cost_bytes": None, "bound_bytes": 0, "version": "", "cpu_seconds": total,
        "total_cpu_seconds": total,
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("graph", help="graph JSON")
    parser.add_argument("--capacity", type=int, help="capacity in bytes (default: the largest op footprint)")
    parser.add_argument("--peer", choices=list(PEERS), default="cp-sat/chain")
    parser.add_argument("--limit", type=float, default=60, help="CPU seconds (default 60)")
    parser.add_argument("--options", default="{}", help="further CP-SAT parameters as JSON")
    parser.add_argument("--venv", default=".venv", help="virtual environment of the solvers (default .venv)")
    parser.add_argument("--here", action="store_true", help="solve in this process, which has the solvers installed")
    args = parser.parse_args()
    capacity = graph_io.load(args.graph).max_footprint if args.capacity is None else args.capacity
    options = json.loads(args.options)
    if args.here:
        result = solve_here(args.graph, capacity, args.peer, args.limit, options)
    else:
        result = run(interpreter(args.venv), args.graph, capacity, args.peer, args.limit, options)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
