"""A real MLflow server on this machine, and jobs that log to it."""

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DBJOB = os.environ["DBJOB"]
BIN = Path(sys.executable).parent
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "PYTHONWARNINGS": "ignore"}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Process:
    """A program that is asked over HTTP, until it is stopped."""

    def __init__(self, command, url, folder, environment=None):
        self.url = url
        self.log = open(Path(folder) / "server.log", "ab")
        # MLflow starts workers of its own: the whole group is stopped.
        self.process = subprocess.Popen(
            [str(c) for c in command], cwd=folder, stdout=self.log, stderr=self.log, start_new_session=True,
            env={**os.environ, **QUIET, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **(environment or {})},
        )

    def wait(self, path, seconds=120):
        until = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                    return answer.read()
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None or time.monotonic() > until:
                    raise AssertionError(Path(self.log.name).read_text(errors="replace")[-4000:])
                time.sleep(0.3)

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, 15)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, 9)
                self.process.wait(20)
        self.log.close()


def tracking_server(folder, *options):
    port = free_port()
    command = [
        BIN / "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", 1,
        "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", *options,
    ]
    server = Process(command, f"http://127.0.0.1:{port}", folder)
    server.wait("/health")
    return server


class Workspace:
    """A temporary folder with the data of the examples; use it with `with`."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="dbjob-mlflow-")
        self.path = Path(self._folder.name)
        shutil.copytree(ROOT / "examples/data", self.path / "data")
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def run(self, text, code=0, options=(), **environment):
        """Runs a job; gives what it said."""
        (self.path / "job.dbjob").write_text(text, encoding="utf-8")
        return self.dbjob("run", self.path / "job.dbjob", *options, code=code, **environment)

    def dbjob(self, *arguments, code=0, **environment):
        done = subprocess.run(
            [DBJOB, *map(str, arguments)], capture_output=True, text=True, cwd=self.path, env={**os.environ, **environment}
        )
        if done.returncode != code:
            raise AssertionError(
                f"dbjob {' '.join(map(str, arguments))} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done.stdout + done.stderr

    def predictions(self, model, rows):
        """What `dbjob predict` says of rows (a list of dicts of texts), one dict a row."""
        source, out = self.path / "rows.csv", self.path / "answers.ndjson"
        with open(source, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        self.dbjob("predict", model, "--input", source, "--output", out)
        return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
