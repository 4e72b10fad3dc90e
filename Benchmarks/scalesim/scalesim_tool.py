"""SCALE-Sim 3.0.0 in a virtual environment, one process a run.

As a program (inside the environment), with groups of TOPOLOGY CONFIG FORMAT OUT: runs each topology and writes its reports as
JSON to OUT, with the CPU seconds of the run.
"""
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

VERSION = "3.0.0"
# 3.0.0 aborts in every run with numpy 2.4 (issue 160 of the tool).
PACKAGES = [f"scalesim=={VERSION}", "numpy<2.4"]
HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = [
    "cycles", "stalls", "overall_util_percent", "mapping_efficiency_percent", "compute_util_percent",
    "ifmap_sram_reads", "filter_sram_reads", "ofmap_sram_writes",
]


def python():
    """The interpreter of the environment, made and filled when it is missing."""
    folder = HERE / ".venv"
    interpreter = folder / "bin" / "python"
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(interpreter), "-m", "pip", "install", "-q", *PACKAGES], check=True)
        (folder / "done").write_text(" ".join(PACKAGES) + "\n")
    return str(interpreter)


def run(cases):
    """Layers and CPU seconds of the tool for each (topology, config, format), and CPU seconds of their process."""
    interpreter = python()
    before = os.times()
    with tempfile.TemporaryDirectory() as scratch:
        outs = [pathlib.Path(scratch) / f"{index}.json" for index in range(len(cases))]
        arguments = [str(part) for case, out in zip(cases, outs) for part in (*case, out)]
        process = subprocess.run(
            [interpreter, __file__, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if process.returncode != 0:
            raise RuntimeError(process.stdout[-2000:])
        after = os.times()
        results = [json.loads(out.read_text()) for out in outs]
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return results, seconds


def main(topology, config, format, out):
    from scalesim.scale_sim import scalesim

    with tempfile.TemporaryDirectory() as scratch:
        lines = [line for line in pathlib.Path(topology).read_text().splitlines() if line.strip()]
        # The tool asks for a layout of every layer even when layouts are off.
        layout = pathlib.Path(scratch) / "layout.csv"
        layout.write_text("header,\n" + "".join("L," + "1," * 20 + "\n" for _ in range(8 * len(lines))))
        tool = scalesim(
            save_disk_space=True, verbose=False, config=config, topology=topology, layout=str(layout),
            input_type_gemm=format == "gemm")
        before = os.times()
        tool.run_scale(top_path=scratch)
        after = os.times()
        name = tool.config.get_run_name()
        with open(f"{scratch}/{name}/COMPUTE_REPORT.csv", encoding="utf-8") as file:
            compute = list(csv.reader(file))[1:]
        with open(f"{scratch}/{name}/DETAILED_ACCESS_REPORT.csv", encoding="utf-8") as file:
            access = list(csv.reader(file))[1:]
    layers = []
    for row, counts in zip(compute, access):
        values = [int(row[2]), int(row[3])] + [float(x) for x in row[4:7]]
        values += [int(float(counts[i])) for i in (3, 6, 9)]
        layers.append(dict(zip(COLUMNS, values)))
    seconds = after.user + after.system - before.user - before.system
    pathlib.Path(out).write_text(json.dumps({"layers": layers, "run_cpu_seconds": seconds}))


def differences(theirs, ours):
    """Sentences about layers that differ; percentages may differ by rounding of sums."""
    found = []
    if len(theirs) != len(ours):
        found.append(f"{len(theirs)} layers against {len(ours)}")
    for index, (their, our) in enumerate(zip(theirs, ours)):
        for column in COLUMNS:
            a, b = their[column], our[column]
            if a != b and not (isinstance(a, float) and b is not None and abs(a - b) <= 1e-9 * max(1.0, abs(a))):
                found.append(f"layer {index} ({our['name']}): {column} is {a} in SCALE-Sim, {b} in Pantile")
    return found


if __name__ == "__main__":
    for start in range(1, len(sys.argv), 4):
        main(*sys.argv[start:start + 4])
