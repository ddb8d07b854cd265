#!/usr/bin/env python3
"""Runs the same jobs with dbjob, python-polars, DuckDB, pandas and PySpark, compares what they give, and prints tables.

usage: run.py DBJOB CACHE [--rows N …] [--jobs NAME …] [--engines NAME …] [--once NAME …] [--rounds N] [--threads N]
              [--limit GIB] [--write FILE]

Each run is a process of its own, the engines by turns; the first round compares the results and warms the file
cache. The engines of --once (default: pandas and pyspark, which take minutes) run in that one alone, so that theirs is what
is told of them. Wall time includes the start of the process; peak memory is the largest sum of the resident memory of the
process and all that it started, looked at every 10 ms, and no less than what the kernel says of the process; own memory is the
same without pages of files, which the kernel takes back when it needs them. A run over the limit of memory (default: half of the
machine's) is ended and told so. Exits 1 if two results differ or a goal is missed.
"""

import argparse
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
JOBS = {
    # job: {file that it writes: the columns that order its rows}
    "group": {"sold.parquet": ["country", "channel", "month"]},
    "join": {"bought.parquet": ["segment", "category"]},
    "window": {"history.parquet": ["event_id"]},
    "convert": {"clean.parquet": ["order_id"]},
    # No columns: the order is part of the result.
    "sort": {"pairs.parquet": [], "largest.parquet": []},
    "features": {"metrics.json": None},
}
ENGINES = ["dbjob", "dbjob, with state", "polars", "duckdb", "pandas", "pyspark"]
PAGE = os.sysconf("SC_PAGE_SIZE")


def command(engine, job, options):
    if engine.startswith("dbjob"):
        state = ["--no-state"] if engine == "dbjob" else ["--state", "out/.state"]
        return [options.dbjob, "--quiet", "run", "--json", "--threads", str(options.threads), *state, f"{job}.dbjob"]
    return [sys.executable, str(HERE / "peers" / "peer.py"), engine, job]


def resident(root):
    """Bytes that a process and all below it have in memory, and how many of them are no pages of files."""
    below, sizes = {}, {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
                with open(f"/proc/{name}/statm") as file:
                    _, pages, of_files = map(int, file.read().split()[:3])
            except OSError:
                continue
            below.setdefault(parent, []).append(int(name))
            sizes[int(name)] = (pages * PAGE, (pages - of_files) * PAGE)
    total, own, todo = 0, 0, [root]
    while todo:
        process = todo.pop()
        sized = sizes.get(process, (0, 0))
        total, own = total + sized[0], own + sized[1]
        todo += below.get(process, [])
    return total, own


def measured(engine, job, folder, options):
    """{"wall": seconds, "cpu": seconds, "peak": MiB, "own": MiB}, or why there is none."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    threads = str(options.threads)
    names = ["THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS"]
    environment = os.environ | {name: threads for name in names}
    with open(out / "stdout", "w") as told, open(out / "stderr", "w") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command(engine, job, options), cwd=folder, env=environment, stdout=told, stderr=errors, start_new_session=True
        )
        peak, own, over, ended = 0, 0, False, threading.Event()

        def watch():
            nonlocal peak, own, over
            while not ended.wait(0.01):
                now = resident(process.pid)
                peak, own = max(peak, now[0]), max(own, now[1])
                if peak > options.limit * 2**30 and not over:
                    over = True
                    os.killpg(process.pid, signal.SIGKILL)

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watcher.join()
    if over:
        return f"over {options.limit:.0f} GiB"
    if process.returncode != 0:
        sys.exit(f"{engine}, {job}: failed\n{(out / 'stderr').read_text()[-3000:]}")
    if engine.startswith("dbjob") and job == "features":
        events = map(json.loads, (out / "stdout").read_text().splitlines())
        metrics = dict(next(e["metrics"] for e in events if e.get("event") == "evaluated"))
        values = {name: metrics[name]["value"] for name in ("rmse", "r2")}
        (out / "metrics.json").write_text(json.dumps(values))
    peak = max(peak / 2**20, usage.ru_maxrss / 1024)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak, "own": own / 2**20}


def compare(engine, job, folder, keep):
    """Compares a result with the first one of its job, which is kept in a folder. In a process of its own: what a
    process has in memory counts for those that it starts."""
    for name, order in JOBS[job].items():
        path, first = folder / "out" / name, keep / name
        if not first.exists():
            shutil.move(path, first)
        elif order is None:
            ours, theirs = json.loads(first.read_text()), json.loads(path.read_text())
            if ours.keys() != theirs.keys() or not all(math.isclose(ours[k], theirs[k], rel_tol=1e-6) for k in ours):
                sys.exit(f"{job}: {engine} gives {theirs}, another {ours}")
        elif subprocess.run([sys.executable, HERE / "compare.py", first, path, *order]).returncode != 0:
            sys.exit(f"{job}: {engine} gives another {name}")


def measure(rows, options):
    """{(job, engine): {"wall": …, "peak": …} or a reason}"""
    folder = Path(options.cache, str(rows))
    made = subprocess.run([sys.executable, HERE / "make.py", folder, str(rows)])
    if made.returncode != 0:
        sys.exit("the data could not be made")
    found = {}
    for job in options.jobs:
        shutil.copy(HERE / "jobs" / f"{job}.dbjob", folder)
        keep = folder / "first"
        shutil.rmtree(keep, ignore_errors=True)
        keep.mkdir()
        results = {}
        for engine in options.engines:
            first = measured(engine, job, folder, options)
            if isinstance(first, str):
                found[job, engine] = first
            else:
                compare(engine, job, folder, keep)
                results[engine] = [first] if engine in options.once else []
        shutil.rmtree(keep)
        for turn in range(options.rounds):
            turns = [engine for engine in results if engine not in options.once]
            for engine in turns if turn % 2 == 0 else reversed(turns):
                one = measured(engine, job, folder, options)
                if isinstance(one, str):
                    sys.exit(f"{engine}, {job}: {one}, and was not before")
                results[engine].append(one)
        for engine, runs in results.items():
            found[job, engine] = {what: statistics.median(run[what] for run in runs) for what in ("wall", "cpu", "peak", "own")}
        print(f"{rows:,} rows, {job}: done", file=sys.stderr)
    shutil.rmtree(folder / "out", ignore_errors=True)
    return found


def line(cells):
    return "| " + " | ".join(cells) + " |"


def report(sizes, found, options):
    """The tables, as lines of Markdown."""
    out = [
        f"{options.rounds} rounds, medians ({' and '.join(options.once)} one), {options.threads} threads on {os.cpu_count()} cores;"
        " every engine gave the same results. Time: seconds and, where polars is there, times that of polars; memory: peak MiB of"
        " the process and its children, and of these its own: without pages of the files that it reads."
    ]
    for rows in sizes:
        out += ["", f"### {rows:,} rows", "", line(["job", *options.engines]), line(["---"] + ["---:"] * len(options.engines))]
        for job in options.jobs:
            polars = found[rows].get((job, "polars"))
            times, processor, peaks = [], [], []
            for engine in options.engines:
                one = found[rows][job, engine]
                if isinstance(one, str):
                    times.append(one)
                    processor.append("")
                    peaks.append("")
                    continue
                ratio = f" ({one['wall'] / polars['wall']:.2f}×)" if isinstance(polars, dict) else ""
                times.append(f"{one['wall']:.2f} s{ratio}")
                processor.append(f"{one['cpu']:.2f} s")
                peaks.append(f"{one['peak']:,.0f} MiB, own {one['own']:,.0f}")
            out += [line([job, *times]), line(["processor", *processor]), line(["memory", *peaks])]
    if len(sizes) > 1:
        least, most = min(sizes), max(sizes)
        out += ["", f"### Growth from {least:,} to {most:,} rows: {most / least:.0f} times the rows take … times the time, and … times the memory", ""]
        out += [line(["job", *options.engines]), line(["---"] + ["---:"] * len(options.engines))]
        for job in options.jobs:
            cells = []
            for engine in options.engines:
                one, other = found[least][job, engine], found[most][job, engine]
                both = isinstance(one, dict) and isinstance(other, dict)
                cells.append(f"{other['wall'] / one['wall']:.1f}, {other['peak'] / one['peak']:.1f}" if both else "")
            out.append(line([job, *cells]))
    return out


def missed(sizes, found, options):
    """Where dbjob is slower than it should be."""
    told = []
    for rows in sizes:
        for job in options.jobs:
            ours = found[rows].get((job, "dbjob"))
            for engine, limit in [("polars", 1.1), ("pandas", 1.0), ("pyspark", 1.0)]:
                theirs = found[rows].get((job, engine))
                if not isinstance(ours, dict):
                    if isinstance(theirs, dict):
                        told.append(f"{rows:,} rows, {job}: dbjob is {ours}")
                elif isinstance(theirs, dict) and ours["wall"] > limit * theirs["wall"]:
                    told.append(f"{rows:,} rows, {job}: {ours['wall'] / theirs['wall']:.2f} times the time of {engine}")
    return told


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dbjob")
    parser.add_argument("cache")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000, 30_000_000])
    parser.add_argument("--jobs", nargs="+", choices=list(JOBS), default=list(JOBS))
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--once", nargs="*", choices=ENGINES, default=["pandas", "pyspark"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=float, default=os.sysconf("SC_PHYS_PAGES") * PAGE / 2**31)
    parser.add_argument("--write")
    options = parser.parse_args()
    options.dbjob = str(Path(options.dbjob).resolve())
    found = {rows: measure(rows, options) for rows in options.rows}
    text = "\n".join(report(options.rows, found, options)) + "\n"
    print(text)
    if options.write:
        Path(options.write).write_text(text)
    told = missed(options.rows, found, options)
    print("goals hold: at most 1.1 times the time of polars, ahead of pandas and PySpark" if not told else "MISSED:\n" + "\n".join(told))
    sys.exit(1 if told else 0)


if __name__ == "__main__":
    main()
