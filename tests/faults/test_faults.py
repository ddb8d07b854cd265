"""Faults of the machine under a job: full and read-only disks, data that change, a clock that jumps."""

import glob
import hashlib
import json
import os
import random
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

DBJOB = os.environ["DBJOB"]
FAKETIME = sorted(glob.glob("/usr/lib/*/faketime/libfaketime.so.1"))[0]

JOB = """
dataset orders from csv("orders.csv") {
  id:       int key
  amount:   float
  country:  category
  returned: bool label
}

transform rows from orders {
  split test 25%
  map amount with standardize
  map country with one_hot
}

model comes_back from rows {
  input amount, country
  output returned: bool
  fit random_forest { trees = TREES }
  evaluate accuracy
}

deploy live from comes_back {
  to registry("models")
}

transform judged from orders {
  predict comes_back as guess
  select id, country, amount, guess
}

deploy judged {
  to parquet("out/judged.parquet")
  to csv("out/judged.csv")
}
"""


def orders(rows):
    draw = random.Random(7)
    lines = ["id,amount,country,returned"]
    for number in range(rows):
        amount = draw.uniform(1, 300)
        returned = "true" if amount > 150 and draw.random() < 0.7 or draw.random() < 0.1 else "false"
        lines.append(f"{number},{amount:.2f},{draw.choice(['DE', 'FR', 'US'])},{returned}")
    return "\n".join(lines) + "\n"


class Place(unittest.TestCase):
    rows, trees = 4000, 20

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dbjob-faults-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.write("job.dbjob", JOB.replace("TREES", str(self.trees)))
        self.write("orders.csv", orders(self.rows))

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def call(self, *args, env=None, check=None):
        done = subprocess.run(
            [DBJOB, *args], cwd=self.folder, capture_output=True, text=True, timeout=120, env={**os.environ, **(env or {})}
        )
        if check is not None:
            self.assertEqual(done.returncode, check, f"{args}: {done.stdout}\n{done.stderr}")
        self.assertNotIn("panicked", done.stderr)
        return done

    def ran(self, done):
        events = [json.loads(line) for line in done.stdout.splitlines()]
        return sorted(f"{e['kind']} {e['item']}" for e in events if e["event"] == "item_finished")

    def mount(self, name, size):
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(path)])
        return path

    def hashes(self):
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = str(path.relative_to(self.folder))
            if path.is_file() and (name.startswith("out/") or name.endswith("weights.safetensors")):
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def leftovers(self):
        return [str(p) for p in self.folder.rglob(".dbjob-*")]


class Disks(Place):
    def test_a_full_disk_under_the_outputs_is_told_and_leaves_no_half_output(self):
        self.mount("out", "32k")
        done = self.call("run", "job.dbjob", check=1)
        self.assertIn("E0713", done.stderr)
        self.assertIn("o space left", done.stderr)
        # What had room is whole, and of the other there is nothing.
        self.assertLessEqual({p.name for p in (self.folder / "out").iterdir()}, {"judged.parquet"})
        subprocess.run(["mount", "-o", "remount,size=8m", str(self.folder / "out")], check=True)
        again = self.call("run", "job.dbjob", "--json", check=0)
        self.assertNotIn("model comes_back", self.ran(again), "what was finished is not lost")
        self.assertEqual(self.leftovers(), [])

    def test_a_full_disk_under_the_state_stops_nothing_that_can_go_on(self):
        state = self.mount("state", "256k")
        done = self.call("run", "job.dbjob", "--state", "state")
        if done.returncode == 0:
            self.assertIn("not kept", done.stderr)
            self.assertTrue((self.folder / "out/judged.csv").exists())
        else:
            self.assertIn("E0751", done.stderr)
        subprocess.run(["mount", "-o", "remount,size=64m", str(state)], check=True)
        self.call("run", "job.dbjob", "--state", "state", check=0)
        again = self.call("run", "job.dbjob", "--state", "state", "--json", check=0)
        self.assertEqual(self.ran(again), [])

    def test_a_state_without_a_byte_left_is_told(self):
        state = self.mount("state", "64k")
        (state / "fill").write_bytes(b"x" * 61_000)
        done = self.call("run", "job.dbjob", "--state", "state", check=1)
        self.assertIn("E0751", done.stderr)
        self.assertIn("--no-state", done.stderr)

    def test_a_full_disk_under_the_registry_leaves_the_live_version(self):
        self.mount("models", "1m")
        self.call("run", "job.dbjob", check=0)
        before = self.hashes()
        self.write("job.dbjob", JOB.replace("TREES", "2000"))
        done = self.call("run", "job.dbjob", check=1)
        self.assertIn("E0713", done.stderr)
        self.assertEqual((self.folder / "models/comes_back/current").read_text().strip(), "1")
        self.assertEqual({k: v for k, v in self.hashes().items() if k.startswith("models/")},
                         {k: v for k, v in before.items() if k.startswith("models/")})
        self.call("predict", "models/comes_back", "--input", "orders.csv", "--output", "p.csv", check=0)

    def test_a_read_only_state_is_told_and_no_state_runs(self):
        state = self.mount("state", "8m")
        self.call("run", "job.dbjob", "--state", "state", check=0)
        before = self.hashes()
        subprocess.run(["mount", "-o", "remount,ro", str(state)], check=True)
        done = self.call("run", "job.dbjob", "--state", "state", check=1)
        self.assertIn("E0751", done.stderr)
        self.assertIn("--no-state", done.stderr)
        self.call("run", "job.dbjob", "--no-state", check=0)
        self.assertEqual(before.keys() - self.hashes().keys(), set())
        # Looking does not need to write.
        self.call("plan", "job.dbjob", "--state", "state", check=0)
        self.call("runs", "job.dbjob", "--state", "state", check=0)


class Large(Place):
    """A table that two items read and that is made from more bytes than are held in memory: it goes to a file meanwhile."""

    def setUp(self):
        super().setUp()
        draw = random.Random(7)
        self.write("job.dbjob", """
dataset lines from csv("lines.csv") {
  id:   int key
  text: string
  rest: string
}

transform kept from lines {
  derive twice = id * 2
  drop rest
}

transform even from kept {
  filter id % 2 == 0
}

deploy kept {
  to parquet("out/kept.parquet")
}

deploy even {
  to parquet("out/even.parquet")
}
""")
        rest = "x" * 1_000
        with open(self.folder / "lines.csv", "w") as file:
            file.write("id,text,rest\n")
            file.writelines(f"{n},{draw.getrandbits(256):064x},{rest}\n" for n in range(270_000))

    def test_a_place_for_its_file_that_is_full_or_read_only_is_named(self):
        place = self.mount("place", "64m")
        env = {"TMPDIR": str(place)}
        self.call("run", "--no-state", "job.dbjob", env=env, check=0)
        first = self.hashes()
        self.assertEqual(len(first), 2)
        self.assertEqual(list(place.iterdir()), [], "the file is gone")
        for options in ["remount,size=2m", "remount,size=64m,ro"]:
            subprocess.run(["mount", "-o", options, str(place)], check=True)
            shutil.rmtree(self.folder / "out")
            done = self.call("run", "--no-state", "job.dbjob", env=env, check=1)
            self.assertIn("E0713", done.stderr, options)
            self.assertIn(str(place), done.stderr, options)
            self.assertEqual(list(place.iterdir()), [], options)
            self.assertEqual(self.hashes(), {}, options)
            (self.folder / "out").mkdir(exist_ok=True)
        subprocess.run(["mount", "-o", "remount,size=64m,rw", str(place)], check=True)
        self.call("run", "--no-state", "job.dbjob", env=env, check=0)
        self.assertEqual(self.hashes(), first)


class Data(Place):
    rows, trees = 30_000, 60

    def test_data_that_change_while_a_run_reads_them(self):
        """Whenever the change comes: either it is told, or the results are those of the state that was read."""
        clean = self.call("run", "job.dbjob", "--state", "first", check=0)
        self.assertEqual(clean.returncode, 0)
        told = 0
        for delay in [0.05, 0.2, 0.4, 0.8]:
            self.write("orders.csv", orders(self.rows))
            shutil.rmtree(self.folder / "state", ignore_errors=True)

            def change():
                time.sleep(delay)
                with open(self.folder / "orders.csv", "a") as file:
                    file.write("9999999,10.0,DE,true\n")

            other = threading.Thread(target=change)
            other.start()
            done = self.call("run", "job.dbjob", "--state", "state")
            other.join()
            if done.returncode != 0:
                self.assertIn("E0750", done.stderr)
                told += 1
            # The next run sees the new rows, and is right about them.
            self.call("run", "job.dbjob", "--state", "state", check=0)
            after = self.hashes()["out/judged.csv"]
            self.call("run", "job.dbjob", "--fresh", "--state", "other", check=0)
            self.assertEqual(self.hashes()["out/judged.csv"], after)
        self.assertGreater(told, 0, "the file was changed while it was read, and nobody said so")


class Clock(Place):
    def faked(self, when):
        return {"LD_PRELOAD": FAKETIME, "FAKETIME": when, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def test_runs_before_and_after_a_jump_of_the_clock(self):
        self.call("run", "job.dbjob", env=self.faked("+400d"), check=0)
        before = self.hashes()
        for when in ["-400d", "-1d", "+2000d"]:
            done = self.call("run", "job.dbjob", "--json", env=self.faked(when), check=0)
            self.assertEqual(self.ran(done), [], when)
        self.assertEqual(self.hashes(), before)
        listed = self.call("runs", "job.dbjob", check=0).stdout.splitlines()
        self.assertEqual([line.split()[0] for line in listed[1:]], ["4", "3", "2", "1"], "the latest run comes first")
        # A changed row is seen although the clock says that it is older.
        with open(self.folder / "orders.csv", "a") as file:
            file.write("9999999,10.0,DE,true\n")
        os.utime(self.folder / "orders.csv", (0, 0))
        done = self.call("run", "job.dbjob", "--json", env=self.faked("-3000d"), check=0)
        self.assertIn("model comes_back", self.ran(done))

    def test_the_clock_jumps_during_a_run(self):
        file = self.folder / "clock"
        file.write_text("+0")
        env = {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
               "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.write("job.dbjob", "job j {\n  run_time = 2min\n}\n" + JOB.replace("TREES", "400"))
        run = subprocess.Popen([DBJOB, "run", "job.dbjob"], cwd=self.folder, env={**os.environ, **env},
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for jump in ["+3000d", "-3000d", "+0"]:
            time.sleep(0.3)
            file.write_text(jump)
        out, err = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, err)
        self.assertEqual(self.ran(self.call("run", "job.dbjob", "--json", check=0)), [])


if __name__ == "__main__":
    unittest.main()
