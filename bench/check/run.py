#!/usr/bin/env python3
"""How fast `dbjob check` is, how much memory it takes, and how long SQLMesh and dbt take for the same tables.

usage: run.py DBJOB [--rounds N] [--sqlmesh PYTHON] [--dbt PROGRAM] [--transforms N]

Prints tables of medians. Exits with 1 if 1,000 transforms take a second or more, or if the time of a warehouse grows
faster than its size.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import peers
from shapes import SHAPES, warehouse

LIMIT_SECONDS = 1.0
LIMIT_GROWTH = 1.3
"""The most that a line of 100,000 may cost, against a line of 10,000."""


def measured(command, folder, env=None):
    """(wall seconds, processor seconds, peak MiB) of a program and its children; its output is thrown away."""
    began = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            os.chdir(folder)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.execvpe(command[0], command, {**os.environ, **(env or {})})
        finally:
            os._exit(127)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - began
    if status != 0:
        sys.exit(f"{' '.join(command)} failed with status {os.waitstatus_to_exitcode(status)}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def median(runs):
    return [statistics.median(column) for column in zip(*runs)]


def shapes(dbjob, rounds, folder):
    """The table of dbjob alone; the median wall time of each shape."""
    print("| job | lines | check s | processor s | peak MiB | µs a line | fmt s |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    walls = {}
    for name, make in SHAPES.items():
        text = make()
        path = Path(folder, "job.dbjob")
        path.write_text(text)
        lines = text.count("\n")
        wall, cpu, peak = median([measured([dbjob, "check", str(path)], folder) for _ in range(rounds)])
        # Once formatted, all of the file is read and printed again and nothing is written.
        measured([dbjob, "--quiet", "fmt", str(path)], folder)
        fmt, _, _ = median([measured([dbjob, "fmt", "--check", str(path)], folder) for _ in range(rounds)])
        walls[name] = (wall, lines)
        per_line = wall / lines * 1e6
        print(f"| {name} | {lines:,} | {wall:.3f} | {cpu:.3f} | {peak:.0f} | {per_line:.1f} | {fmt:.3f} |", flush=True)
    return walls


def against(arguments, folder):
    """The table of dbjob and its peers on one warehouse."""
    n = arguments.transforms
    job = Path(folder, "warehouse.dbjob")
    job.write_text(warehouse(n))
    rows = {"`dbjob check`": lambda: measured([arguments.dbjob, "check", str(job)], folder)}
    if arguments.sqlmesh:
        load = Path(folder, "load.py")
        load.write_text(peers.LOAD_SQLMESH)

        def sqlmesh():
            project = Path(folder, "sqlmesh")
            shutil.rmtree(project, ignore_errors=True)
            peers.sqlmesh(project, n)
            return measured([arguments.sqlmesh, str(load), str(project)], folder)

        rows["SQLMesh: load, columns and types"] = sqlmesh
    if arguments.dbt:

        def dbt():
            project = Path(folder, "dbt")
            shutil.rmtree(project, ignore_errors=True)
            peers.dbt(project, n)
            command = [arguments.dbt, "--quiet", "parse", "--no-partial-parse", "--profiles-dir", "."]
            return measured(command, project, {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"})

        rows["`dbt parse`: no columns"] = dbt
    print(f"\n| {n:,} transforms of 30 columns | wall s | processor s | peak MiB | times dbjob |")
    print("|---|---:|---:|---:|---:|")
    first = None
    for name, run in rows.items():
        # A peer takes long enough that three rounds tell.
        rounds = arguments.rounds if first is None else min(arguments.rounds, 3)
        wall, cpu, peak = median([run() for _ in range(rounds)])
        first = first or wall
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {wall / first:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dbjob")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sqlmesh", help="a Python that has SQLMesh")
    parser.add_argument("--dbt", help="the program dbt, with dbt-duckdb")
    parser.add_argument("--transforms", type=int, default=1000, help="of the comparison")
    arguments = parser.parse_args()
    arguments.dbjob = str(Path(arguments.dbjob).resolve())
    print(f"{os.cpu_count()} cores, medians of {arguments.rounds} rounds\n")
    with tempfile.TemporaryDirectory() as folder:
        walls = shapes(arguments.dbjob, arguments.rounds, folder)
        if arguments.sqlmesh or arguments.dbt:
            against(arguments, folder)
    broken = []
    wall, _ = walls["1,000 transforms"]
    if wall >= LIMIT_SECONDS:
        broken.append(f"1,000 transforms take {wall:.3f} s, not under {LIMIT_SECONDS:.0f} s")
    (small, few), (large, many) = walls["10,000 lines"], walls["100,000 lines"]
    growth = (large / many) / (small / few)
    if growth > LIMIT_GROWTH:
        broken.append(f"a line of 100,000 costs {growth:.2f} times one of 10,000, at most {LIMIT_GROWTH}")
    print("\n" + ("limits hold: 1,000 transforms under 1 s, time linear in lines" if not broken else "LIMITS BROKEN: " + "; ".join(broken)))
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
