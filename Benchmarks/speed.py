#!/usr/bin/env python3
"""Measures the speed goals in one run and compares them with Benchmarks/speed.csv: exit 1 when a limit is passed.

Usage: speed.py PANTILE [--no-peer] [--sweep POINTS]
  --no-peer   leave SCALE-Sim out (it takes minutes), and the ratios with it
  --sweep N   compile and run N of the 1,000 points of the ResNet-50 design space with DRAM (default 27), spread evenly

CPU seconds are user plus system time. A timing run is that phase alone, the median of three processes; the program is compiled before.
"""
import argparse
import csv
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE / "scalesim"))
import scalesim_tool  # noqa: E402

MODEL = "Workloads/models/resnet18/resnet18.mlir"
TOPOLOGY = ROOT / "Workloads/topologies/resnet18.csv"
CONFIG = ROOT / "Workloads/topologies/ws-128x128.cfg"
CHIP = "datacenter-128x128"


def run(arguments):
    """Output, CPU seconds and largest resident set in MiB of one process."""
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen([str(part) for part in arguments], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        out.seek(0)
        text = out.read()
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, arguments))}\n{text[-2000:]}")
    return text, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def median(values):
    return sorted(values)[len(values) // 2]


def phase(text, name):
    return float(re.search(rf"^{name}: ([0-9.]+) CPU s", text, re.M)[1])


def timing_runs(pantile, scratch, device):
    chip = ["--chip", CHIP, "--set", f"memories.dram.device={device}"]
    program = scratch / f"{device}.pantile"
    run([pantile, "compile", MODEL, *chip, "--seed", "1", "-o", program])
    results = [run([pantile, "run", program, *chip, "--timing"]) for _ in range(3)]
    return median([phase(text, "timing run") for text, _, _ in results]), max(memory for _, _, memory in results)


def sweep_seconds(pantile, scratch, spec, restart=True):
    """CPU seconds and points of a sweep; without `restart`, points that the journal holds are not run again."""
    mode = ["--restart"] if restart else []
    text, seconds, _ = run([pantile, "sweep", spec, "-o", scratch / "sweep.csv", *mode, "--root", ROOT])
    points, infeasible = map(int, re.search(r"(\d+) points, (\d+) infeasible", text).groups())
    return seconds, points, infeasible


def with_memory(points):
    """The ResNet-50 design space of 1,000 points with DRAM, thinned to about `points`."""
    rows = [16, 24, 32, 48, 64, 96, 128, 160, 192, 256]
    sizes = [f"{size} MiB" for size in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)]
    each = min(10, max(2, round(points ** (1 / 3))))

    def pick(values):
        # From the first to the last, so that neither small nor large arrays weigh more.
        return ", ".join(str(values[round(place * 9 / (each - 1))]) for place in range(each))

    return (
        f"name: resnet50-memory\nmodel: resnet50\nchip: {CHIP}\naxes:\n  engines.array0.rows: [{pick(rows)}]\n"
        f"  engines.array0.columns: [{pick(rows)}]\n  memories.spad.size: [{pick(sizes)}]\n"
        "objectives: [cycles, energy]\n")


def decoder_seconds(pantile, scratch):
    """128 tokens of a 24-block, 1,024-wide decoder, one after the other: CPU seconds and cycles."""
    model, program = scratch / "decoder.mlir", scratch / "decoder.pantile"
    run([pantile, "decoder", "-o", model])
    run([pantile, "compile", model, "--chip", CHIP, "--seed", "1", "-o", program])
    results = [
        run([pantile, "run", program, "--chip", CHIP, "--timing", "--times", "128"])[0] for _ in range(3)]
    cycles = int(re.search(r"128 times +([0-9,]+) cycles", results[0])[1].replace(",", ""))
    return median([phase(text, "repeated runs") for text in results]), cycles


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pantile")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--sweep", type=int, default=27)
    options = parser.parse_args()
    pantile = str(pathlib.Path(options.pantile).resolve())
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        ddr4, memory = timing_runs(pantile, scratch, "ddr4-2400-x64")
        hbm, _ = timing_runs(pantile, scratch, "hbm2-8ch")
        figures["resnet18 ddr4 timing run, CPU s"] = ddr4
        figures["resnet18 ddr4 largest resident set, MiB"] = memory
        figures["resnet18 hbm2 timing run, CPU s"] = hbm
        seconds, cycles = decoder_seconds(pantile, scratch)
        figures["decoder, 128 tokens, CPU s"] = seconds
        figures["decoder, 128 tokens, million cycles"] = cycles / 1e6
        text, _, _ = run([
            pantile, "run", TOPOLOGY, "--chip", CONFIG, "--timing-model", "scalesim", "--topology-format", "conv", "--json",
            scratch / "closed.json", "--timing", "--repeat", "100000"])
        closed = phase(text, "evaluate")
        figures["resnet18 closed form, CPU us"] = closed * 1e6
        if not options.no_peer:
            print(f"SCALE-Sim {scalesim_tool.VERSION} runs ResNet-18 on 128x128 ...", flush=True)
            (theirs,), _ = scalesim_tool.run([(TOPOLOGY, CONFIG, "conv")])
            peer = theirs["run_cpu_seconds"]
            figures["SCALE-Sim resnet18, CPU s"] = peer
            figures["SCALE-Sim / ddr4 timing run"] = peer / ddr4
            figures["SCALE-Sim / hbm2 timing run"] = peer / hbm
            figures["SCALE-Sim / closed form"] = peer / closed
        seconds, points, infeasible = sweep_seconds(pantile, scratch, ROOT / "Workloads/sweeps/resnet50-array.yaml")
        assert points == 1000 and infeasible == 0
        figures["resnet50 1000 points, array alone, CPU s"] = seconds
        spec = scratch / "memory.yaml"
        spec.write_text(with_memory(options.sweep))
        seconds, points, infeasible = sweep_seconds(pantile, scratch, spec)
        figures["resnet50 with DRAM, points run"] = points
        # The model is loaded and quantised once for a sweep; few points must not carry the share of a thousand. With every point in the
        # journal nothing else is done.
        prepared, _, _ = sweep_seconds(pantile, scratch, spec, restart=False)
        figures["resnet50 with DRAM, preparing the model, CPU s"] = prepared
        figures["resnet50 with DRAM, CPU s a point"] = (seconds - prepared) / points + prepared / 1000

    failed = False
    limits = {row["measure"]: row for row in csv.DictReader((HERE / "speed.csv").open(encoding="utf-8"))}
    print(f"{'':44} {'measured':>14} {'limit':>12} {'aim':>12}")
    for name, value in figures.items():
        row = limits.get(name, {"limit": "", "aim": "", "better": ""})
        passed = row["better"] and (value > float(row["limit"]) if row["better"] == "less" else value < float(row["limit"]))
        failed |= bool(passed)
        print(f"{name:44} {value:14,.3f} {row['limit']:>12} {row['aim']:>12}{'  TOO SLOW' if passed else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
