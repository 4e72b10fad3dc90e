#!/usr/bin/env python3
"""Makes COSMA's experiment (arXiv 2311.18246, section V) again: run.py PANTILE [GRAPH ...]

For each network and each of the paper's budgets (M_R: the largest op; M_P: the least peak; M_H: their mean) the bytes that move
beyond the compulsory ones, int8, activations only, by the paper's baselines and by Pantile. Networks are the shipped ones, NAS bodies and
randomly wired bodies from the generators in Benchmarks/planner, and the graph JSON files that are named. Writes results.csv beside itself,
Docs/papers/cosma.svg, and the tables in Docs/papers/cosma.md.
"""
import csv
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "Benchmarks/planner"))
import graph_io  # noqa: E402
from nas_cells import nas_cells  # noqa: E402
from random_wired import random_wired  # noqa: E402

# Name, method, order: the paper's baselines, then ours.
BASELINES = [
    ("TFLite", "tflite", "default"),
    ("default, Belady", "belady", "default"),
    ("least peak, Belady", "belady", "free"),
    ("default, ILP", "gap", "default"),
    ("least peak, ILP", "gap", "free"),
]
RUNS = [*BASELINES, ("Pantile", "auto", "free")]


def generated():
    """NAS stacks at CIFAR size and randomly wired bodies: where orders matter."""
    for style, blocks, cells, seed in (("darts", 4, 6, 5), ("darts", 6, 12, 5), ("nasnet", 6, 8, 1), ("nasnet", 8, 20, 1)):
        yield nas_cells(blocks, cells, seed=seed, style=style)
    for nodes, seed in ((16, 3), (24, 1), (32, 1)):
        yield random_wired(nodes, seed=seed, name=f"randwire_body{nodes}_s{seed}")


def plan(pantile, model, *options):
    """The plan's JSON, also of an infeasible one."""
    done = subprocess.run([pantile, "plan", model, *options, "--json", "-"], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"plan {model} {' '.join(options)}\n{done.stderr}")
    return json.loads(done.stdout)


def budgets(pantile, model):
    """M_R is what the refusal of a memory of one byte says is missing, and that byte."""
    reason = plan(pantile, model, "--capacity", "1")["reason"]
    largest = int(re.search(r"(\d+) bytes more than", reason)[1]) + 1
    least = max(largest, plan(pantile, model, "--minimise", "--budget", "1")["capacity_bytes"])
    return [("M_R", largest), ("M_H", (largest + least) // 2), ("M_P", least)]


def measure(pantile, name, model):
    rows = []
    for budget, capacity in budgets(pantile, model):
        row = {"network": name, "budget": budget, "capacity": capacity}
        for run, method, order in RUNS:
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            result = plan(pantile, model, "--capacity", str(capacity), "--method", method, "--order", order)
            row[run] = result["cost_bytes"]
            if run == "Pantile":
                row["bound"] = result["lower_bound_bytes"]
                row["seconds"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, 2)
        rows.append(row)
        print(f"{name} {budget}", file=sys.stderr, flush=True)
    return rows


def kib(value):
    return "none" if value is None else f"{value / 1024:,.0f}"


def tables(rows):
    """Markdown: what moves, where nothing does, and the sums against each baseline."""
    names = [run for run, _, _ in RUNS]
    lines = []
    add = lines.append
    add(f"| network | budget | KiB | {' | '.join(names)} | bound | CPU s |\n|---|---|{'---:|' * (len(names) + 3)}")
    for row in rows:
        if any(row[name] != 0 for name in names):
            cells = " | ".join(kib(row[name]) for name in names)
            bound = "=" if row["bound"] == row["Pantile"] else kib(row["bound"])
            add(f"| {row['network']} | {row['budget']} | {kib(row['capacity'])} | {cells} | {bound} | {row['seconds']} |")
    quiet = sorted({r["network"] for r in rows} - {r["network"] for r in rows if any(r[n] != 0 for n in names)})
    add(f"\nNothing moves by any of them at any budget: {', '.join(quiet) or 'none'}.\n")
    add("| against | M_R | M_H | M_P |\n|---|---:|---:|---:|")
    for name in names[:-1]:
        add(f"| {name} | " + " | ".join(reduction(rows, name, budget) for budget in ("M_R", "M_H", "M_P")) + " |")
    return "\n".join(lines)


def put_tables(text, path):
    """Replaces what stands between the two marks of a page."""
    before, rest = path.read_text().split("<!-- results -->\n")
    after = rest.split("<!-- end of results -->")[1]
    path.write_text(f"{before}<!-- results -->\n{text}\n<!-- end of results -->{after}")


def reduction(rows, name, budget):
    """By how much the sum of bytes is lower than a baseline's, over the networks that it plans."""
    pairs = [(r[name], r["Pantile"]) for r in rows if r["budget"] == budget and r[name] is not None]
    theirs, ours = sum(p[0] for p in pairs), sum(p[1] for p in pairs)
    without = sum(1 for r in rows if r["budget"] == budget and r[name] is None)
    return (f"{100 * (ours - theirs) / theirs:+.0f} %" if theirs else "0") + (f" ({without} without a plan)" if without else "")


def draw(rows, path):
    """Bars of KiB by method, one group a network and budget, where anything moves at all."""
    names = [run for run, _, _ in RUNS]
    colours = ["#9aa5b1", "#c8b9a6", "#b08968", "#8fb8de", "#4f7cac", "#d1495b"]
    shown = [r for r in rows if any(r[n] for n in names)]
    left, top, bar, gap, width = 210, 46, 9, 14, 620
    height = top + len(shown) * (len(names) * bar + gap) + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 90}" height="{height}" '
           'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>']
    x = left
    for name, colour in zip(names, colours):
        out.append(f'<rect x="{x}" y="12" width="10" height="10" fill="{colour}"/><text x="{x + 14}" y="21">{name}</text>')
        x += 28 + 6.2 * len(name)
    y = top
    for row in shown:
        most = max(row[n] or 0 for n in names) or 1
        middle = y + len(names) * bar / 2 + 4
        out.append(f'<text x="{left - 8}" y="{middle}" text-anchor="end">{row["network"]} {row["budget"]}</text>')
        for name, colour in zip(names, colours):
            value = row[name]
            length = width * (value or 0) / most
            out.append(f'<rect x="{left}" y="{y}" width="{max(length, 1):.1f}" height="{bar - 1}" fill="{colour}"/>')
            label = "no plan" if value is None else kib(value)
            out.append(f'<text x="{left + max(length, 1) + 4:.1f}" y="{y + bar - 1}" font-size="8">{label}</text>')
            y += bar
        y += gap
    out.append(f'<text x="{left}" y="{height - 6}" fill="#555">KiB beyond the compulsory; bars of a group are to its largest</text></svg>')
    path.write_text("\n".join(out) + "\n")


def main():
    pantile = os.path.abspath(sys.argv[1])
    os.chdir(ROOT)
    rows = []
    for path in sorted((ROOT / "Workloads/models").glob("*/*.mlir")):
        rows += measure(pantile, path.parent.name, path.parent.name)
    with tempfile.TemporaryDirectory() as folder:
        for document in generated():
            path = os.path.join(folder, document["name"] + ".json")
            graph_io.write(document, path)
            rows += measure(pantile, document["name"], path)
    for path in sys.argv[2:]:
        rows += measure(pantile, pathlib.Path(path).stem, os.path.abspath(path))
    with open(HERE / "results.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    draw(rows, ROOT / "Docs/papers/cosma.svg")
    text = tables(rows)
    put_tables(text, ROOT / "Docs/papers/cosma.md")
    print(text)


if __name__ == "__main__":
    main()
