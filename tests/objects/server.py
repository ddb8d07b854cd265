"""An S3 server of this machine, and a gate in front of it that may answer late or let others write meanwhile."""

import http.client
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import boto3

REGION = "us-east-1"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """moto's server on a free port; use it with `with`."""

    def __enter__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        code = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{self.port}'])"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/moto-api/", timeout=2).close()
                break
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.__exit__()
                    raise
                time.sleep(0.1)
        self.s3 = self.client("s3")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()

    def client(self, service):
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
        )

    def who_may_enter(self, everybody):
        """Whether keys and signatures are looked at."""
        count = b"inf" if everybody else b"0"
        request = urllib.request.Request(f"{self.url}/moto-api/reset-auth", data=count, headers={"Content-Type": "text/plain"}, method="POST")
        urllib.request.urlopen(request, timeout=5).close()


class Gate:
    """Passes requests on to the server, after a call of `before(method, path)`; hangs up if that raises ConnectionError."""

    def __init__(self, server, before):
        self._server, self._before = server, before

    def __enter__(self):
        server, before = self._server, self._before

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    before(self.command, self.path)
                except ConnectionError:
                    self.close_connection = True
                    return
                inner = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
                try:
                    inner.request(self.command, self.path, body, dict(self.headers))
                    answer = inner.getresponse()
                    data = answer.read()
                    self.send_response(answer.status)
                    for name, value in answer.getheaders():
                        if name.lower() not in ("transfer-encoding", "connection", "date", "server", "content-length"):
                            self.send_header(name, value)
                    length = answer.getheader("Content-Length") if self.command == "HEAD" else None
                    self.send_header("Content-Length", length or str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    pass  # Who asked has gone.
                finally:
                    inner.close()

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self._gate = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._gate.server_address[1]}"
        threading.Thread(target=self._gate.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._gate.shutdown()
        self._gate.server_close()


def environment(url, key="test", secret="test"):
    """What a job sees: nothing of the `AWS_*` that the tests themselves run with."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return clean | {
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
    }
