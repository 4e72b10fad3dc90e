#!/usr/bin/env python3
"""Random sparse products through SCALE-Sim 3.0.0: its cycles and filter storage as CSV, one line a layer.

Runs inside the environment that scalesim_tool.py makes: .venv/bin/python sparse.py [SEED [RUNS]] > sparse.csv
"""
import contextlib
import csv
import io
import pathlib
import random
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LAYERS = 3


def measure(draw, scratch, base):
    from scalesim.scale_sim import scalesim

    mode = draw.choice(["layer-wise", "layer-wise", "row-wise"])
    dataflow = "ws" if mode == "row-wise" else draw.choice(["ws", "os"])
    block = draw.choice([2, 4, 8])
    rows = draw.choice([x for x in (4, 6, 8, 16) if x >= block])
    columns = draw.choice([2, 4, 7, 8, 16])
    form = draw.choice(["ellpack_block", "csr", "csc"]) if mode == "layer-wise" else "ellpack_block"
    products = []
    for _ in range(LAYERS):
        group = draw.choice([2, 4, 8, 16])
        products.append(
            (draw.randint(1, 40), draw.randint(group, 70), draw.randint(1, 24), draw.randint(1, group - 1), group))
    settings = {
        "ArrayHeight": rows, "ArrayWidth": columns, "Dataflow": dataflow, "SparsitySupport": "true", "SparseRep": form,
        "OptimizedMapping": "true" if mode == "row-wise" else "false", "BlockSize": block,
    }
    for key, value in settings.items():
        base = re.sub(rf"^{key}: .*$", f"{key}: {value}", base, flags=re.MULTILINE)
    (scratch / "c.cfg").write_text(base)
    lines = [f"G{i}, {m}, {n}, {k}, {kept}:{group}," for i, (m, k, n, kept, group) in enumerate(products)]
    (scratch / "t.csv").write_text("\n".join(["Layer, M, N, K, Sparsity,"] + lines) + "\n")
    # The tool asks for a layout of every layer even when layouts are off.
    (scratch / "l.csv").write_text("header,\n" + "".join("L," + "1," * 20 + "\n" for _ in range(8 * LAYERS)))
    with contextlib.redirect_stdout(io.StringIO()):
        tool = scalesim(
            save_disk_space=True, verbose=False, config=str(scratch / "c.cfg"), topology=str(scratch / "t.csv"),
            layout=str(scratch / "l.csv"), input_type_gemm=True)
        tool.run_scale(top_path=str(scratch))
    folder = scratch / tool.config.get_run_name()
    compute = list(csv.reader(open(folder / "COMPUTE_REPORT.csv", encoding="utf-8")))[1:]
    sparse = list(csv.reader(open(folder / "SPARSE_REPORT.csv", encoding="utf-8")))[1:]
    for (m, k, n, kept, group), timing, storage in zip(products, compute, sparse):
        print(",".join(str(x) for x in [
            mode, dataflow, f"{rows}x{columns}", block if mode == "row-wise" else "", form, m, k, n, f"{kept}:{group}",
            int(timing[2]), storage[2].strip(), storage[3].strip(), storage[4].strip()]), flush=True)


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 24
    draw = random.Random(seed)
    base = (ROOT / "Workloads/topologies/ws-128x128.cfg").read_text()
    print("mode,dataflow,array,block,storage,m,k,n,pattern,total_cycles,original_words,storage_words,metadata_words")
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as scratch:
            measure(draw, pathlib.Path(scratch), base)


if __name__ == "__main__":
    main()
