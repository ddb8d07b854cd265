"""Running dbjob on a copy of the examples, so that nothing is written into the project."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DBJOB = os.environ["DBJOB"]


class Workspace:
    """A temporary copy of examples/ with their data; use it with `with`."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="dbjob-oracle-")
        self.path = Path(self._folder.name) / "examples"
        shutil.copytree(ROOT / "examples", self.path, ignore=shutil.ignore_patterns("models", "out"))
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    @property
    def elsewhere(self):
        """A folder that has nothing to do with the job."""
        folder = Path(self._folder.name) / "elsewhere"
        folder.mkdir(exist_ok=True)
        return folder

    def append(self, job, text):
        with open(self.path / job, "a", encoding="utf-8") as file:
            file.write("\n" + text)

    def run(self, job):
        dbjob("run", str(self.path / job), cwd=self.elsewhere)


def dbjob(*arguments, cwd):
    """Runs the binary; fails with all that it said when it does."""
    done = subprocess.run([DBJOB, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"dbjob {' '.join(map(str, arguments))} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout
