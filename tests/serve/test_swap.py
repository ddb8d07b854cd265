"""Versions change while callers ask: no request fails, a broken version is not served, and a killed server comes back with what was live."""

import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import threading
import time
import unittest
import urllib.request
from pathlib import Path

from support import Server, Workspace, dbjob, request_of, things

SWAPS = int(os.environ.get("SWAPS", "5000"))


class Swap(unittest.TestCase):
    def setUp(self):
        self.workspace = self.enterContext(Workspace())
        self.model = self.workspace.path / "models/wants"
        job = self.workspace.path / "everything.dbjob"
        for seed in (8, 9):
            text = job.read_text(encoding="utf-8")
            job.write_text(text.replace(f"seed = {seed - 1}", f"seed = {seed}"), encoding="utf-8")
            dbjob("run", job, cwd=self.workspace.path)
        self.row = request_of(next(iter(things())))
        self.answers = {}
        for version in ("1", "2", "3"):
            out = self.workspace.path / f"v{version}.ndjson"
            ask = self.workspace.path / "ask.ndjson"
            ask.write_text(json.dumps(self.row) + "\n", encoding="utf-8")
            dbjob("predict", f"wants@{version}", "--input", ask, "--output", out, cwd=self.workspace.path)
            said = json.loads(out.read_text(encoding="utf-8"))
            self.answers[version] = said["prediction_probability"]
        self.assertEqual(len(set(self.answers.values())), 3, "three versions that differ")

    def go_live(self, version):
        """As `dbjob models promote` does: in one step."""
        staged = self.model / ".next"
        staged.write_text(f"{version}\n", encoding="utf-8")
        staged.replace(self.model / "current")

    def now(self, server):
        return server.json("/version")[1]["models"][0]["version"]

    def wait_for(self, server, version):
        for _ in range(100):
            if self.now(server) == version:
                return
            time.sleep(0.05)
        self.fail(f"version {version} is not live: {server.said()}")

    def test_no_request_fails_while_versions_change(self):
        failed, done, counts = [], threading.Event(), {}
        body = json.dumps(self.row)
        left = [SWAPS]
        lock = threading.Lock()

        def ask(port):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            while True:
                with lock:
                    if left[0] == 0:
                        return connection.close()
                    left[0] -= 1
                connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                text, version = reply.read(), reply.headers["X-Model-Version"]
                share = json.loads(text).get("prediction_probability")
                if reply.status != 200 or share != self.answers.get(version):
                    failed.append((reply.status, version, text))
                counts[version] = counts.get(version, 0) + 1

        with Server("models", "-q", cwd=self.workspace.path) as server:
            threads = [threading.Thread(target=ask, args=(server.port,)) for _ in range(8)]
            for thread in threads:
                thread.start()
            swaps = 0
            while any(thread.is_alive() for thread in threads):
                self.go_live(1 + swaps % 3)
                swaps += 1
                time.sleep(0.3)
            for thread in threads:
                thread.join()
        self.assertEqual((failed[:3], sum(counts.values())), ([], SWAPS))
        self.assertGreater(len(counts), 1, f"{swaps} swaps, {counts}")

    def test_a_broken_version_is_told_and_not_served(self):
        with Server("models", cwd=self.workspace.path) as server:
            self.assertEqual(self.now(server), 3)
            shutil.copytree(self.model / "versions/3", self.model / "versions/4")
            self.go_live(4)
            time.sleep(1)
            self.assertEqual(self.now(server), 3)
            weights = self.model / "versions/2/weights.safetensors"
            held = weights.read_bytes()
            weights.write_bytes(held[:-1] + bytes([held[-1] ^ 1]))
            self.go_live(2)
            time.sleep(1)
            self.assertEqual(self.now(server), 3)
            status, answer = server.json("/predict", self.row)
            self.assertEqual((status, answer["prediction_probability"]), (200, self.answers["3"]))
            self.go_live(1)
            self.wait_for(server, 1)
            said = server.said()
            self.assertIn("SHA-256 differs", said)
            self.assertIn('"event":"refused"', said)
            self.assertIn("dbjob_failed_swaps_total 2", server.ask("/metrics")[2].decode())

    def test_a_killed_server_comes_back_with_what_was_live(self):
        with Server("models", "-q", cwd=self.workspace.path) as server:
            self.go_live(2)
            self.wait_for(server, 2)
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
        with Server("models", "-q", cwd=self.workspace.path) as again:
            status, answer = again.json("/predict", self.row)
            self.assertEqual((status, answer["prediction_probability"]), (200, self.answers["2"]))
            self.assertEqual(again.stop(), 0, "SIGTERM is a good end")

    def test_tokens_tls_and_folders(self):
        path = self.workspace.path
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
            cwd=path, check=True, capture_output=True,
        )
        (path / "token").write_text("s3cret\n", encoding="utf-8")
        args = ["-q", "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--token-file", "token"]
        with Server("models/wants/versions/2", *args, cwd=path, scheme="https") as server:
            trust = ssl.create_default_context(cafile=str(path / "cert.pem"))

            def ask(token):
                headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
                asked = urllib.request.Request(server.url + "/predict", json.dumps(self.row).encode(), headers)
                try:
                    with urllib.request.urlopen(asked, context=trust, timeout=30) as reply:
                        return reply.status, json.load(reply)["prediction_probability"]
                except urllib.error.HTTPError as error:
                    return error.code, None

            self.assertEqual(ask("s3cret"), (200, self.answers["2"]))
            self.assertEqual(ask("s3cre"), (401, None))

    def test_what_cannot_be_served_says_why(self):
        path = self.workspace.path
        self.assertIn("there are no models at nowhere", dbjob("serve", "nowhere", cwd=path, code=1))
        self.assertIn("has no certificate in it", dbjob(
            "serve", "models", "--bind", "127.0.0.1:0", "--tls-cert", "everything.dbjob", "--tls-key", "x", cwd=path, code=1))
        self.assertIn("is not set", dbjob("serve", "models", "--token-env", "NOT_SET_AT_ALL", cwd=path, code=1))
        with Server("models", "-q", cwd=path) as server:
            said = dbjob("serve", "models", "--bind", f"127.0.0.1:{server.port}", cwd=path, code=1)
            self.assertIn("E0760", said)


class Article(unittest.TestCase):
    """The online shop as in the README: two modules, names with a hyphen, curl."""

    def test_from_the_job_to_an_answer(self):
        import tempfile

        from support import ROOT, free_port

        with tempfile.TemporaryDirectory(prefix="dbjob-shop-") as folder:
            path = Path(folder)
            shutil.copytree(ROOT / "examples/data", path / "data")
            port = free_port()
            job = (ROOT / "examples/article.dbjob").read_text(encoding="utf-8")
            self.assertIn("127.0.0.1:8080", job)
            (path / "article.dbjob").write_text(job.replace("127.0.0.1:8080", f"127.0.0.1:{port}"), encoding="utf-8")
            dbjob("run", "article.dbjob", cwd=path)
            # The address is the job's.
            from support import DBJOB

            process = subprocess.Popen([DBJOB, "serve", "article.dbjob", "-q"], cwd=path)
            try:
                url = f"http://127.0.0.1:{port}/predict"
                curl = ["curl", "-sS", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", url]
                curl += ["-H", "Content-Type: application/json", "-d"]
                said = subprocess.run(
                    [*curl, '{"user-id": 5, "product-id": 2, "price": 12.5}'], capture_output=True, check=True)
                answer = json.loads(said.stdout)
                self.assertIn(answer["prediction"], (0, 1))
                total = answer["prediction_probability_0"] + answer["prediction_probability_1"]
                self.assertAlmostEqual(total, 1.0)
                said = subprocess.run([*curl, '{"user_id": 5, "product-id": 2, "price": -1}'], capture_output=True, check=True)
                problem = json.loads(said.stdout)
                told = {e["field"]: e["reason"] for e in problem["errors"]}
                self.assertEqual(set(told), {"user-id", "user_id", "price"})
                self.assertIn("did you mean `user-id`", told["user_id"])
            finally:
                process.terminate()
                self.assertEqual(process.wait(timeout=60), 0)


if __name__ == "__main__":
    unittest.main()
