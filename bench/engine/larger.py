#!/usr/bin/env python3
"""Runs jobs over inputs that are larger than the memory that they may have.

usage: larger.py DBJOB FOLDER [GB] [MIB] (default 10 GB of inputs, 2048 MiB)

Half of the bytes are CSV, half Parquet. The jobs filter, join with a small table, group, write rows back, and read one table
for several items. Each is run with `--no-state` and with a state directory, and is ended if the resident memory of the process
goes above the limit; where control groups can be made, the kernel holds it to the limit, too, the files that it maps
included. What comes out must be what the generator's sums say. The data are removed afterwards.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl

from noop import FILES, write
from run import resident

TABLES = """job larger {}

dataset texts from csv("csv/*.csv") {
  id: int
  user: int in 0..
  price: float in 0.0..=1.0
  name: string
  expect price >= 0 else drop
}

dataset stored from parquet("parquet/*.parquet") {
  id: int
  user: int
  price: float
  name: string
}

dataset kinds from csv("kinds.csv") { name: string key, kind: string, factor: float }
"""
JOBS = {
    "grouped": """
transform by_kind from texts {
  filter price > 0.25
  join kinds on name
  group by kind { n = count(), total = sum(price * factor) }
}
transform both from stored {
  filter price > 0.25
  join kinds on name
  group by kind { m = count(), most = max(price) }
  join by_kind on kind
  sort kind
}
deploy both { to parquet("out/both.parquet") }
""",
    "rows back": """
transform cheap from texts {
  filter price < 0.5
  join kinds on name
  derive cost = price * factor
  drop name
}
deploy cheap { to parquet("out/cheap.parquet") }
""",
    "read twice": """
transform counted from texts {
  expect count() >= 1000 else fail
  derive cents = floor(price * 100)
}
transform by_name from counted {
  group by name { n = count(), most = max(cents) }
  sort name
}
transform by_cents from counted {
  group by cents { n = count() }
  sort cents
}
deploy by_name { to parquet("out/by_name.parquet") }
deploy by_cents { to parquet("out/by_cents.parquet") }
""",
}


def group(limit):
    """A control group of memory, if this machine lets one make it."""
    for base, name in (("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")):
        folder = Path(base, f"dbjob-bench-{os.getpid()}")
        try:
            folder.mkdir()
            if not (folder / "cgroup.procs").exists():
                # No control group, a folder of files.
                folder.rmdir()
                continue
            (folder / name).write_text(str(limit))
            return folder
        except OSError:
            if folder.is_dir():
                folder.rmdir()
    return None


def run(dbjob, folder, arguments, limit, held):
    """(seconds, peak MiB), or why there are none."""
    began = time.perf_counter()

    def enter():
        if held:
            (held / "cgroup.procs").write_text(str(os.getpid()))

    process = subprocess.Popen([dbjob, "--quiet", "run", "job.dbjob", *arguments], cwd=folder, preexec_fn=enter, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    peak, ended = 0, threading.Event()

    def watch():
        nonlocal peak
        while not ended.wait(0.02):
            peak = max(peak, resident(process.pid)[0])
            if peak > limit:
                process.send_signal(signal.SIGKILL)

    watcher = threading.Thread(target=watch)
    watcher.start()
    errors = process.communicate()[1]
    ended.set()
    watcher.join()
    if process.returncode == 0:
        return time.perf_counter() - began, peak / 2**20
    return "over the limit of memory" if process.returncode == -signal.SIGKILL else errors


def right(folder, name):
    """Whether the results fit each other and the inputs."""
    out = folder / "out"
    if name == "grouped":
        texts = pl.scan_csv(folder / "csv" / "*.csv").filter(pl.col("price") > 0.25)
        stored = pl.scan_parquet(folder / "parquet" / "*.parquet").filter(pl.col("price") > 0.25)
        counts = [q.select(pl.len()).collect(engine="streaming").item() for q in (texts, stored)]
        return pl.read_parquet(out / "both.parquet").select("n", "m").sum().row(0) == tuple(counts)
    if name == "rows back":
        texts = pl.scan_csv(folder / "csv" / "*.csv").filter(pl.col("price") < 0.5)
        ids = texts.select(pl.len(), pl.col("id").sum()).collect(engine="streaming").row(0)
        back = pl.scan_parquet(out / "cheap.parquet").select(pl.len(), pl.col("id").sum())
        return back.collect(engine="streaming").row(0) == ids
    names, cents = pl.read_parquet(out / "by_name.parquet"), pl.read_parquet(out / "by_cents.parquet")
    rows = pl.scan_csv(folder / "csv" / "*.csv").select(pl.len()).collect(engine="streaming").item()
    return names["n"].sum() == cents["n"].sum() == rows


def main():
    dbjob, folder = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2])
    size = float(sys.argv[3]) if len(sys.argv) > 3 else 10
    limit = int(sys.argv[4]) if len(sys.argv) > 4 else 2048
    shutil.rmtree(folder, ignore_errors=True)
    held = group(limit * 2**20)
    failed = False
    try:
        there = write(folder, size)
        rng = np.random.default_rng(12)
        names = [f"name {i:03}" for i in range(500)]
        kinds = {"name": names, "kind": [f"kind {i % 20:02}" for i in range(500)], "factor": rng.random(500).round(3)}
        pl.DataFrame(kinds).write_csv(folder / "kinds.csv")
        by = "a control group, and by watching it" if held else "watching it"
        print(f"{there / 1e9:.1f} GB in {2 * FILES} files, at most {limit} MiB, held by {by}\n")
        print("| job | state | seconds | peak MiB |\n|---|---|---:|---:|")
        for name, job in JOBS.items():
            (folder / "job.dbjob").write_text(TABLES + job)
            for state, arguments in (("none", ["--no-state"]), ("kept", ["--state", "state"])):
                shutil.rmtree(folder / "out", ignore_errors=True)
                found = run(dbjob, folder, arguments, limit * 2**20, held)
                if isinstance(found, str):
                    failed = True
                    print(f"| {name} | {state} | {found.strip()} | |", flush=True)
                    continue
                print(f"| {name} | {state} | {found[0]:.1f} | {found[1]:.0f} |", flush=True)
                if not right(folder, name):
                    sys.exit(f"{name}: the result is wrong")
            shutil.rmtree(folder / "state", ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held:
            held.rmdir()
    print("\n" + ("FAILED" if failed else "all within the limit"))
    sys.exit(failed)


if __name__ == "__main__":
    main()
