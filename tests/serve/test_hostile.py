"""Bodies that nobody who means well would send: each gets a clear 4xx or a closed connection, and memory stays where it was."""

import gzip
import json
import random
import socket
import time
import unittest

from support import Server, Workspace, request_of, things

HEAD = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def bodies(row):
    """Two hundred of them: a name, headers and a body, from a row that is right; the same each time."""
    draw = random.Random(4)
    good = json.dumps(row).encode()
    for i in range(60):
        yield f"cut at {i}", {}, good[: draw.randrange(len(good))]
    for i in range(30):
        broken = bytearray(good)
        for _ in range(3):
            broken[draw.randrange(len(broken))] = draw.choice(b'\x00\xff{}[]",:\\')
        yield f"bytes changed {i}", {}, bytes(broken) + b"}"
    for depth in (10, 127, 128, 129, 1000, 100_000, 1_000_000):
        yield f"lists, {depth} deep", {}, b"[" * depth
        yield f"objects, {depth} deep", {}, b'{"count":' * depth
        yield f"a field, {depth} deep", {}, b'{"count":' + b"[" * depth + b"]" * depth + b"}"
    for bad in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "01", "+1", ".5", "0x10", "1_000", "1e", "--1"):
        yield f"the number {bad}", {}, good.replace(b'"count": %d' % row["count"], b'"count": ' + bad.encode())
    for name in row:
        yield f"{name} twice", {}, good[:-1] + b", " + json.dumps({name: row[name]}).encode()[1:]
        yield f"{name} of another type", {}, json.dumps({**row, name: {"a": [None]}}).encode()
        yield f"without {name}", {}, json.dumps({k: v for k, v in row.items() if k != name}).encode()
    for charset in ("utf-16", "utf-32", "iso-8859-1", "shift_jis", "x-none"):
        headers = {"Content-Type": f"application/json; charset={charset}"}
        yield f"charset {charset}", headers, good
    yield "UTF-16", {}, json.dumps(row).encode("utf-16")
    yield "UTF-32", {}, json.dumps(row).encode("utf-32")
    yield "a mark of the byte order", {}, b"\xef\xbb\xbf" + good
    yield "no UTF-8", {}, good.replace(b'"x"', b'"\xff\xfe"').replace(b'"kind": "', b'"kind": "\xc3')
    yield "half a surrogate", {}, good.replace(b'"kind": "', b'"kind": "\\ud800')
    yield "nothing", {}, b""
    yield "white space", {}, b" " * 1_000_000
    yield "null", {}, b"null"
    yield "a text", {}, b'"count"'
    yield "a number", {}, b"7"
    yield "a list of lists", {}, b"[[1, 2], [3, 4]]"
    yield "too many rows", {}, b"[" + b",".join([good] * 10_001) + b"]"
    yield "many unknown fields", {}, json.dumps({**row, **{f"f{i}": i for i in range(200_000)}}).encode()
    yield "a long name", {}, json.dumps({**row, "x" * 5_000_000: 1}).encode()
    yield "a long level", {}, json.dumps({**row, "size": "x" * 5_000_000}).encode()
    yield "too many digits", {}, good.replace(b'"count": %d' % row["count"], b'"count": ' + b"9" * 1_000_000)
    yield "too large", {}, b" " * (17 << 20)
    gzipped = {"Content-Encoding": "gzip"}
    yield "a gzip bomb", gzipped, gzip.compress(b" " * (1 << 28))
    yield "a gzip bomb of rows", gzipped, gzip.compress(b"[" + b",".join([good] * 200_000) + b"]")
    yield "gzip in gzip", gzipped, gzip.compress(gzip.compress(good))
    yield "half of a gzip", gzipped, gzip.compress(good)[:-20]
    yield "no gzip", gzipped, good
    yield "gzip with a wrong sum", gzipped, gzip.compress(good)[:-8] + b"\x00" * 8
    yield "deflate", {"Content-Encoding": "deflate"}, good
    yield "brotli", {"Content-Encoding": "br"}, good
    yield "twice packed", {"Content-Encoding": "gzip, gzip"}, good
    for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
        yield f"as {kind}", {"Content-Type": kind}, good
    for kind in ("application/vnd.apache.parquet", "application/vnd.apache.arrow.file"):
        yield f"JSON as {kind}", {"Content-Type": kind}, good
        yield f"magic alone as {kind}", {"Content-Type": kind}, b"PAR1" * 1000 + b"ARROW1\x00\x00"
        yield f"nothing as {kind}", {"Content-Type": kind}, b""


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = cls.enterClassContext(Workspace())
        args = ["--head-timeout", "2", "--max-connections", "200", "-q"]
        cls.server = cls.enterClassContext(Server("everything.dbjob", *args, cwd=cls.workspace.path))
        rows = [request_of(row) for row in things()]
        # One whose every field is there, and whose count is written nowhere else.
        cls.row = next(r for r in rows if None not in r.values() and r["count"] > 300)

    def alive(self):
        status, answer = self.server.json("/predict", self.row)
        self.assertEqual(status, 200, answer)

    def test_bodies(self):
        self.alive()
        before, seen = self.server.memory(), 0
        for name, headers, body in bodies(self.row):
            with self.subTest(name):
                seen += 1
                try:
                    status, head, answer = self.server.ask("/predict", body, headers)
                except (ConnectionError, OSError):
                    continue
                self.assertIn(status, range(400, 500), f"{name}: {answer[:200]}")
                problem = json.loads(answer)
                self.assertEqual((head["Content-Type"], problem["status"]), ("application/problem+json", status))
                self.assertGreater(len(problem.get("detail", "")), 5)
                self.assertLess(len(answer), 100_000)
        self.assertGreaterEqual(seen, 200)
        for path in ("/invocations", "/v2/models/wants/infer"):
            for name, headers, body in bodies(self.row):
                with self.subTest(path=path, name=name):
                    try:
                        status, _, answer = self.server.ask(path, body, headers)
                    except (ConnectionError, OSError):
                        continue
                    # What is no row here may be a request there.
                    self.assertIn(status, range(400, 500), answer[:200])
        self.alive()
        # A body of the largest size, unpacked, read and told of: not a copy for each that came before.
        self.assertLess(self.server.memory() - before, 400)

    def raw(self, data, wait=15.0):
        """What comes back for bytes, until the server closes or says something."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=wait) as s:
            try:
                s.sendall(data)
                return s.recv(65536)
            except (ConnectionError, TimeoutError) as error:
                return b"" if isinstance(error, ConnectionError) else error

    def test_requests_that_are_none(self):
        for data in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET\r\n\r\n",
            b"GET /ping HTTP/9.9\r\n\r\n",
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n[1,2]",
            b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"GET /ping HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(5000)) + b"\r\n",
            b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /predict/%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        ):
            with self.subTest(data[:40]):
                reply = self.raw(data)
                self.assertIsInstance(reply, bytes, "neither an answer nor a closed connection")
                self.assertTrue(reply == b"" or reply.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), reply[:100])
        self.alive()

    def test_slow_callers_do_not_hold_others_up(self):
        before = self.server.memory()
        slow = []
        for i in range(100):
            s = socket.create_connection(("127.0.0.1", self.server.port))
            s.sendall(HEAD % b"/predict" if i % 2 else b"GET /pi")
            slow.append(s)
        began = time.monotonic()
        while time.monotonic() - began < 4:
            for s in slow:
                try:
                    s.send(b"X")
                except OSError:
                    pass
            self.alive()
            time.sleep(0.2)
        for s in slow:
            s.settimeout(10)
            try:
                # An answer (408) or nothing: closed either way.
                while s.recv(4096):
                    pass
            except ConnectionError:
                pass
            s.close()
        self.assertLess(self.server.memory() - before, 100)

    def test_connections_beyond_the_limit_are_turned_away(self):
        many = [socket.create_connection(("127.0.0.1", self.server.port)) for _ in range(300)]
        time.sleep(1.5)
        turned = 0
        for s in many:
            s.setblocking(False)
            try:
                turned += s.recv(100).startswith(b"HTTP/1.1 503")
            except (BlockingIOError, ConnectionError):
                pass
            s.close()
        self.assertGreaterEqual(turned, 90)
        time.sleep(0.5)
        self.alive()


if __name__ == "__main__":
    unittest.main()
