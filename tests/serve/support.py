"""A server over models that were just trained, and rows for it."""

import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DBJOB = os.environ["DBJOB"]
ROWS = 600


def dbjob(*args, cwd=None, code=0):
    done = subprocess.run([DBJOB, "--color", "never", *map(str, args)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def things():
    """The rows of everything.dbjob, the same each time, as what a CSV file says of them."""
    draw = random.Random(1)
    for i in range(ROWS):
        ratio, count = draw.random() * 0.999, draw.randrange(1, 400)
        yield {
            "id": i,
            "count": count,
            "maybe": "" if draw.random() < 0.2 else draw.randrange(1, 9),
            "big": 9007199254740993 + i,
            "ratio": repr(ratio),
            "sure": "true" if draw.random() < 0.5 else "false",
            "code": "%03d" % draw.randrange(200),
            "word": draw.choice("ab"),
            "day": "2024-%02d-%02d" % (draw.randrange(1, 13), draw.randrange(1, 28)),
            "at": "" if draw.random() < 0.2 else "2024-01-01T%02d:30:00Z" % draw.randrange(24),
            "price": "%d.%02d" % (draw.randrange(1000), draw.randrange(100)),
            "size": draw.choice(["", "S", "M", "L"]),
            "kind": draw.choice("xyz"),
            "shop": draw.randrange(1, 6),
            "town": draw.choice(["Ulm", "Bonn", "Nowhere"]),
            "a-b c": repr(draw.randrange(100) / 7),
            "wanted": "true" if ratio + count / 400 + draw.random() > 1.5 else "false",
        }


def write_csv(path, rows):
    rows = list(rows)
    lines = [",".join(rows[0])] + [",".join(str(v) for v in row.values()) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


FIELDS = ["count", "maybe", "big", "ratio", "sure", "code", "day", "at", "price", "size", "kind", "shop", "town"]


def request_of(row):
    """What a caller sends of a row."""
    none = lambda text: None if text == "" else text
    out = {name: none(row[name]) for name in FIELDS}
    out["ratio"], out["sure"] = float(row["ratio"]), row["sure"] == "true"
    out["A, B & C"] = float(row["a-b c"])
    return out


class Workspace:
    """A folder with the job and its data, run once; use it with `with`."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="dbjob-serve-")
        self.path = Path(self._folder.name)
        shutil.copy(HERE / "everything.dbjob", self.path)
        write_csv(self.path / "things.csv", things())
        shops = [{"shop": i, "area": f"{i * 10}.5"} for i in range(1, 6)]
        write_csv(self.path / "shops.csv", shops)
        write_csv(self.path / "towns.csv", [{"town": "Ulm", "people": 126000}, {"town": "Bonn", "people": 330000}])
        dbjob("run", "everything.dbjob", cwd=self.path)
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def predictions(self, rows):
        """What `dbjob predict` says of requests."""
        source, target = self.path / "ask.ndjson", self.path / "answers.ndjson"
        source.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
        dbjob("predict", "wants", "--input", source, "--output", target, cwd=self.path)
        return [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """`dbjob serve` as a process; use it with `with`."""

    def __init__(self, what, *args, cwd=None, port=None, env=None, scheme="http"):
        self.port = port or free_port()
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._args = [DBJOB, "serve", str(what), "--bind", f"127.0.0.1:{self.port}", *args]
        self._cwd, self._env = cwd, {**os.environ, **(env or {})}

    def __enter__(self):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self._args, cwd=self._cwd, env=self._env, stderr=self.log, stdout=self.log)
        for _ in range(600):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            assert self.process.poll() is None, self.said()
            time.sleep(0.05)
        raise AssertionError("the server does not come up")

    def __exit__(self, *_):
        self.stop()
        self.log.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=60)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def memory(self):
        """Its resident memory in MiB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def ask(self, path, body=None, headers=None, method=None):
        """Status, headers and body of an answer; a body that is no bytes is sent as JSON."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})} if body is not None else headers or {}
        asked = urllib.request.Request(self.url + path, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=60) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def json(self, path, body=None, **kwargs):
        status, _, text = self.ask(path, body, **kwargs)
        return status, json.loads(text)
