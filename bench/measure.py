#!/usr/bin/env python3
"""Runs two programs by turns and compares wall time, processor time and peak memory.

usage: measure.py FOLDER DBJOB PEER [rounds]

FOLDER holds the data and flights3m.dbjob. Each program runs once to warm the file cache, then `rounds` times (default
11), one after the other and each round beginning with the other one. Both results must be the same table; the ratios
are of medians. Exits 1 if a limit is broken: 1.15 for wall time, 1.2 for peak memory.
"""

import csv
import math
import os
import statistics
import sys
import time
from pathlib import Path

LIMITS = {"wall": 1.15, "peak": 1.2}


def measured(command, folder):
    """(wall seconds, processor seconds, peak MiB) of a program, its output thrown away."""
    began = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            os.chdir(folder)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.execv(command[0], command)
        finally:
            os._exit(127)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - began
    if status != 0:
        sys.exit(f"{' '.join(command)} failed with status {os.waitstatus_to_exitcode(status)}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024}


def same_tables(one, other):
    """Whether two CSV files hold one table; floating-point sums may differ in their last digits."""
    with open(one, newline="") as a, open(other, newline="") as b:
        rows, others = list(csv.reader(a)), list(csv.reader(b))
    if len(rows) != len(others) or rows[0] != others[0]:
        return False

    def same(x, y):
        if x == y:
            return True
        try:
            return math.isclose(float(x), float(y), rel_tol=1e-9)
        except ValueError:
            return False

    return all(len(r) == len(o) and all(map(same, r, o)) for r, o in zip(rows, others))


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    folder, dbjob, peer = (str(Path(a).resolve()) for a in sys.argv[1:4])
    rounds = int(sys.argv[4]) if len(sys.argv) == 5 else 11
    out = Path(folder, "out")
    out.mkdir(exist_ok=True)
    programs = {
        "dbjob run": [dbjob, "--quiet", "run", f"{folder}/flights3m.dbjob"],
        "polars": [peer, folder, f"{out}/peer.csv"],
        "polars, in memory": [peer, folder, f"{out}/peer-memory.csv", "memory"],
    }
    results = {name: [] for name in programs}
    for command in programs.values():
        measured(command, folder)
    for other in ["peer.csv", "peer-memory.csv"]:
        if not same_tables(out / "dbjob.csv", out / other):
            sys.exit(f"out/dbjob.csv and out/{other} are not the same table")
    for turn in range(rounds):
        order = list(programs.items())
        for name, command in order if turn % 2 == 0 else reversed(order):
            results[name].append(measured(command, folder))
    median = lambda name, what: statistics.median(r[what] for r in results[name])
    print(f"{rounds} rounds on {os.cpu_count()} cores, medians; the tables are the same\n")
    print("| program | wall s | processor s | peak MiB | wall min to max |")
    print("|---|---:|---:|---:|---:|")
    for name in programs:
        walls = [r["wall"] for r in results[name]]
        cells = " | ".join([f"{median(name, 'wall'):.3f}", f"{median(name, 'cpu'):.3f}", f"{median(name, 'peak'):.0f}"])
        print(f"| {name} | {cells} | {min(walls):.3f} to {max(walls):.3f} |")
    print("\n| dbjob against | wall | processor | peak |\n|---|---:|---:|---:|")
    for name in list(programs)[1:]:
        print(f"| {name} | " + " | ".join(f"{median('dbjob run', w) / median(name, w):.3f}" for w in ("wall", "cpu", "peak")) + " |")
    broken = [
        f"{what}: {ratio:.3f}, at most {limit}"
        for what, limit in LIMITS.items()
        if (ratio := median("dbjob run", what) / median("polars", what)) > limit
    ]
    print("\n" + ("limits hold: wall at most 1.15, peak at most 1.2 of polars" if not broken else "LIMITS BROKEN: " + "; ".join(broken)))
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
