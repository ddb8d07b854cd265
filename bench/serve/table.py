"""The medians of the rounds as a table, and whether the goals are met; exits with 1 where they are not."""

import statistics
import sys

rounds = {}
for line in open(sys.argv[1]):
    name, connections, rate, middle, slow, errors = line.split()
    rounds.setdefault((int(connections), name), []).append((float(rate), float(middle), float(slow), int(errors)))
print("| connections | server | requests/s | p50 ms | p99 ms | errors | of bare |")
print("|---:|---|---:|---:|---:|---:|---:|")
best, met = {}, True
for connections in sorted({c for c, _ in rounds}):
    of = {n: [statistics.median(v) for v in zip(*all)] for (c, n), all in rounds.items() if c == connections}
    for name in ("bare", "dbjob", "fastapi", "mlflow"):
        rate, middle, slow, errors = of[name]
        share = rate / of["bare"][0]
        print(f"| {connections} | {name} | {rate:,.0f} | {middle:.2f} | {slow:.2f} | {errors:.0f} | {share:.0%} |")
    for name, row in of.items():
        if row[0] > best.get(name, [0])[0]:
            best[name] = row
print()
print("At the number of connections that is best for each server:\n")
for peer, goal in (("bare", 0.7), ("fastapi", 20), ("mlflow", 20)):
    times = best["dbjob"][0] / best[peer][0]
    held = times >= goal and (peer == "bare" or best["dbjob"][2] < best[peer][2])
    met &= held
    print(f"- {times:.2f} times the requests of {peer} (wanted: {goal}), p99 {best['dbjob'][2]:.2f} ms beside {best[peer][2]:.2f} ms: {'held' if held else 'NOT HELD'}")
sys.exit(0 if met else 1)
