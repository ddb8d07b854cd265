"""Jobs that read from and write to an S3 server."""

import concurrent.futures
import csv
import gzip
import io
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import pyarrow as pa
import pyarrow.parquet as pq

from server import Gate, Server, environment, free_port

DBJOB = os.environ["DBJOB"]
BUCKET = "shop"


def setUpModule():
    global SERVER
    SERVER = unittest.enterModuleContext(Server())
    SERVER.s3.create_bucket(Bucket=BUCKET)


def put(key, data):
    SERVER.s3.put_object(Bucket=BUCKET, Key=key, Body=data.encode() if isinstance(data, str) else data)


def get(key):
    return SERVER.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def keys(prefix=""):
    return [o["Key"] for o in SERVER.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def parquet(**columns):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def copied(source, columns="id: int key", target='csv("out.csv")'):
    block = f" {{ {columns} }}" if columns else ""
    return f"dataset a from {source}{block}\ndeploy a {{ to {target} }}\n"


class Objects(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="dbjob-objects-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        temporary = self.folder / "tmp"
        temporary.mkdir()
        self.env = environment(SERVER.url) | {"TMPDIR": str(temporary)}
        self.addCleanup(lambda: self.assertEqual(list(temporary.iterdir()), [], "something temporary stayed"))

    def call(self, command, job, *args):
        (self.folder / "job.dbjob").write_text(job, encoding="utf-8")
        return subprocess.run(
            [DBJOB, command, *args, "job.dbjob"], cwd=self.folder, env=self.env, capture_output=True, text=True
        )

    def run_job(self, job):
        done = self.call("run", job, "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)

    def rows(self, job, name="out.csv"):
        self.run_job(job)
        with open(self.folder / name, encoding="utf-8", newline="") as file:
            return list(csv.reader(file))[1:]

    def fails(self, job, code, *parts, command="run"):
        done = self.call(command, job)
        said = done.stdout + done.stderr
        self.assertNotEqual(done.returncode, 0, said)
        for part in (f"error[{code}]", *parts):
            self.assertIn(part, said)
        for secret in ("wrong-secret-0123456789", self.env.get("AWS_SECRET_ACCESS_KEY") or "no secret"):
            if len(secret) > 8:
                self.assertNotIn(secret, said)
        return said

    # Sources

    def test_every_format(self):
        put("formats/a.csv", "id,name\n1,x\n2,\n")
        put("formats/a.ndjson", '{"id": 1, "name": "x"}\n{"id": 2}\n')
        put("formats/a.json", '[{"id": 1, "name": "x"}, {"id": 2, "name": null}]')
        put("formats/a.parquet", parquet(id=[1, 2], name=["x", None]))
        table = pa.table({"id": [1, 2], "name": ["x", None]})
        file = io.BytesIO()
        with pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        put("formats/a.arrow", file.getvalue())
        for format in ("csv", "ndjson", "json", "parquet", "arrow"):
            for path in (f"formats/a.{format}", f"formats/*.{format}", "formats/", f"formats/**/a.{format}"):
                with self.subTest(format=format, path=path):
                    job = copied(f'{format}("s3://{BUCKET}/{path}")', "id: int key; name: string?")
                    self.assertEqual(self.rows(job), [["1", "x"], ["2", ""]])

    def test_columns_are_inferred_and_locked(self):
        put("inferred/a.csv", "id,day\n1,2024-01-31\n")
        put("inferred/a.parquet", parquet(id=list(range(1000)), x=[0.5] * 1000))
        put("inferred/a.ndjson.gz", gzip.compress(b'{"id": 1, "on": true}\n'))
        self.assertEqual(self.rows(copied(f'csv("s3://{BUCKET}/inferred/a.csv")', "")), [["1", "2024-01-31"]])
        for source, wanted in [
            (f'csv("s3://{BUCKET}/inferred/a.csv")', {"id": "int", "day": "date"}),
            (f'parquet("s3://{BUCKET}/inferred/a.parquet")', {"id": "int", "x": "float"}),
            (f'ndjson("s3://{BUCKET}/inferred/*.gz")', {"id": "int", "on": "bool"}),
        ]:
            with self.subTest(source):
                done = self.call("lock", copied(source, ""))
                self.assertEqual(done.returncode, 0, done.stderr)
                lock = json.loads((self.folder / "dbjob.lock").read_text())
                columns = lock["jobs"]["job.dbjob"]["a"]["columns"]
                self.assertEqual({c["name"]: c["type"] for c in columns}, wanted)

    def test_the_order_of_keys_is_the_order_of_rows(self):
        for i, key in enumerate(["order/a-b.csv", "order/a.csv", "order/a/b.csv", "order/b.csv"]):
            put(key, f"id\n{i}\n")
        job = copied(f'csv("s3://{BUCKET}/order/**/*.csv")')
        self.assertEqual(self.rows(job), [["0"], ["1"], ["2"], ["3"]])

    def test_more_objects_than_a_page_lists(self):
        with concurrent.futures.ThreadPoolExecutor(8) as all_at_once:
            list(all_at_once.map(lambda i: put(f"many/{i:04}.csv", f"id\n{i}\n"), range(1005)))
        # A page has a thousand of them.
        rows = self.rows(copied(f'csv("s3://{BUCKET}/many/*0[02].csv")'))
        self.assertEqual([int(id) for (id,) in rows], [i for i in range(1005) if i % 100 in (0, 2)])

    def test_large_objects_come_in_pieces(self):
        text = "id,text\n" + "".join(f"{i},{'x' * 90}\n" for i in range(400_000))
        put("large/a.csv", text)
        job = f"""dataset a from csv("s3://{BUCKET}/large/a.csv") {{ id: int key; text: string }}
transform t from a {{ group {{ n = count(), sum = sum(id) }} }}
deploy t {{ to csv("out.csv") }}
"""
        self.assertEqual(self.rows(job), [["400000", str(399_999 * 200_000)]])
        # And go in parts.
        self.run_job(copied(f'csv("s3://{BUCKET}/large/a.csv")', "id: int key; text: string",
                            f'csv("s3://{BUCKET}/large/copy.csv")'))
        self.assertEqual(get("large/copy.csv").decode(), text)

    def test_packed_objects(self):
        put("packed/a.csv.gz", gzip.compress(b"id\n1\n") + gzip.compress(b"2\n"))
        put("packed/b.csv", "id\n3\n")
        self.assertEqual(self.rows(copied(f'csv("s3://{BUCKET}/packed/*")')), [["1"], ["2"], ["3"]])
        put("damaged/a.csv.gz", gzip.compress(b"id\n1\n" * 1000)[:-20])
        self.fails(copied(f'csv("s3://{BUCKET}/damaged/a.csv.gz")'), "E0712", f"s3://{BUCKET}/damaged/a.csv.gz")

    def test_partitions(self):
        for day, country in [("2024-01-31", "DE"), ("2024-02-01", "a%2Fb"), ("2024-02-01", "__HIVE_DEFAULT_PARTITION__")]:
            put(f"parts/day={day}/country={country}/0.parquet", parquet(id=[len(country)]))
        put("parts/_SUCCESS", "")
        job = copied(f'parquet("s3://{BUCKET}/parts/")', "id: int; day: date; country: string?")
        self.assertEqual(
            self.rows(job),
            [["2", "2024-01-31", "DE"], ["26", "2024-02-01", ""], ["5", "2024-02-01", "a/b"]],
        )

    def test_messages_name_the_object(self):
        put("wrong/a.csv", "id\n1\nx\n")
        said = self.fails(copied(f'csv("s3://{BUCKET}/wrong/a.csv")'), "E0704", f"row 2 (line 3) of s3://{BUCKET}/wrong/a.csv")
        self.assertNotIn(".fetched", said)
        put("wrong/b.csv", "")
        self.fails(copied(f'csv("s3://{BUCKET}/wrong/b.csv")'), "E0702", f"s3://{BUCKET}/wrong/b.csv is empty")
        put("wrong/c.csv", "ident\n1\n")
        self.fails(copied(f'csv("s3://{BUCKET}/wrong/c.csv")'), "E0705", f"s3://{BUCKET}/wrong/c.csv")

    def test_what_is_not_there(self):
        put("near/sales.csv", "id\n1\n")
        self.fails(copied(f'csv("s3://{BUCKET}/near/sale.csv")'), "E0742", "there is no object", "there is sales.csv")
        self.fails(copied(f'csv("s3://{BUCKET}/near/*.tsv")'), "E0742", "no object matches")
        self.fails(copied(f'parquet("s3://{BUCKET}/near/")'), "E0742", ".parquet or .pq")
        for path in ("a.csv", "*.csv"):
            self.fails(copied(f'csv("s3://nobody/{path}")'), "E0742", "there is no bucket `nobody`")
        self.fails(copied("csv(\"in.csv\")", "id: int key", 'csv("s3://nobody/out.csv")'), "E0701")
        (self.folder / "in.csv").write_text("id\n1\n")
        self.fails(copied("csv(\"in.csv\")", "id: int key", 'csv("s3://nobody/out.csv")'), "E0742", "`nobody`")

    def test_servers_that_do_not_answer(self):
        source = copied(f'csv("s3://{BUCKET}/a.csv")')
        self.env["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{free_port()}"
        before = time.monotonic()
        self.fails(source, "E0740", "cannot connect to 127.0.0.1:")
        self.assertLess(time.monotonic() - before, 20)
        self.env["AWS_ENDPOINT_URL"] = "http://me:wrong-secret-0123456789@127.0.0.1:1"
        self.fails(source, "E0740", "127.0.0.1:1")
        self.env["AWS_ENDPOINT_URL"] = SERVER.url
        del self.env["AWS_ALLOW_HTTP"]
        self.fails(source, "E0740", "AWS_ALLOW_HTTP")
        self.env["AWS_ALLOW_HTTP"] = "perhaps"
        self.fails(source, "E0740", "AWS_ALLOW_HTTP")
        self.env["AWS_ALLOW_HTTP"] = "true"
        del self.env["AWS_SECRET_ACCESS_KEY"]
        self.fails(source, "E0741", "AWS_SECRET_ACCESS_KEY is not set")

    def test_keys_that_do_not_fit(self):
        put("private/a.csv", "id\n1\n")
        iam = SERVER.client("iam")
        iam.create_user(UserName="reader")
        key = iam.create_access_key(UserName="reader")["AccessKey"]
        job = copied(f'csv("s3://{BUCKET}/private/a.csv")')
        (self.folder / "in.csv").write_text("id\n1\n")
        to = copied('csv("in.csv")', "id: int key", f'csv("s3://{BUCKET}/private/out.csv")')
        SERVER.who_may_enter(everybody=False)
        try:
            self.env |= {"AWS_ACCESS_KEY_ID": "AKIANOBODY0000000000", "AWS_SECRET_ACCESS_KEY": "wrong-secret-0123456789"}
            for wrong in (job, to):
                said = self.fails(wrong, "E0741", "does not know the access key")
                self.assertNotIn("AKIANOBODY0000000000", said)
            self.env["AWS_ACCESS_KEY_ID"] = key["AccessKeyId"]
            for wrong in (job, to):
                self.fails(wrong, "E0741", "AWS_SECRET_ACCESS_KEY")
            self.env["AWS_SECRET_ACCESS_KEY"] = key["SecretAccessKey"]
            for wrong in (job, to):
                self.fails(wrong, "E0741", "access denied")
        finally:
            SERVER.who_may_enter(everybody=True)
        self.assertNotIn("private/out.csv", keys())

    def test_an_object_that_changes_stops_the_run(self):
        put("moving/a.csv", "id\n" + "".join(f"{i}\n" for i in range(3_000_000)))
        written = threading.Event()

        def before(method, path):
            if method == "GET" and path.startswith(f"/{BUCKET}/moving/a.csv") and not written.is_set():
                written.set()
                put("moving/a.csv", "id\n" + "".join(f"{i}\n" for i in range(3_000_000, 0, -1)))

        with Gate(SERVER, before) as gate:
            self.env["AWS_ENDPOINT_URL"] = gate.url
            self.fails(copied(f'csv("s3://{BUCKET}/moving/a.csv")'), "E0743", "changed while it was read")
        self.assertFalse((self.folder / "out.csv").exists())

    def test_what_did_not_change_is_not_fetched_again(self):
        put("again/a.csv", "id\n1\n")
        read = []

        def before(method, path):
            if method == "GET" and path.startswith(f"/{BUCKET}/again/a.csv"):
                read.append(path)

        job = copied(f'csv("s3://{BUCKET}/again/a.csv")')
        with Gate(SERVER, before) as gate:
            self.env["AWS_ENDPOINT_URL"] = gate.url
            self.assertEqual(self.rows(job), [["1"]])
            first = len(read)
            self.assertGreater(first, 0)
            (self.folder / "out.csv").unlink()
            self.assertEqual(self.rows(job), [["1"]])
            self.assertEqual(len(read), first)
            put("again/a.csv", "id\n2\n")
            self.assertEqual(self.rows(job), [["2"]])
            self.assertGreater(len(read), first)

    @unittest.skipUnless(os.name == "posix", "signals")
    def test_ctrl_c_ends_a_fetch(self):
        put("slow/a.csv", "id\n1\n")
        asked = threading.Event()

        def before(method, path):
            if method == "GET" and path.startswith(f"/{BUCKET}/slow/a.csv"):
                asked.set()
                time.sleep(10)

        with Gate(SERVER, before) as gate:
            self.env["AWS_ENDPOINT_URL"] = gate.url
            (self.folder / "job.dbjob").write_text(copied(f'csv("s3://{BUCKET}/slow/a.csv")'))
            running = subprocess.Popen(
                [DBJOB, "run", "job.dbjob"], cwd=self.folder, env=self.env, stderr=subprocess.PIPE, text=True
            )
            self.assertTrue(asked.wait(20))
            running.send_signal(signal.SIGINT)
            before_end = time.monotonic()
            said = running.communicate(timeout=10)[1]
            self.assertLess(time.monotonic() - before_end, 2)
            self.assertNotEqual(running.returncode, 0)
            self.assertIn("E0718", said)

    # Sinks

    def test_tables_are_written(self):
        (self.folder / "in.csv").write_text("id,x\n1,0.5\n2,\n")
        for format in ("csv", "parquet", "ndjson", "arrow"):
            for packed in ("", ".gz", ".zst"):
                key = f"out/a.{format}{packed}"
                with self.subTest(key):
                    columns = "id: int key; x: float?"
                    self.run_job(copied('csv("in.csv")', columns, f'{format}("s3://{BUCKET}/{key}")'))
                    again = copied(f'{format}("s3://{BUCKET}/{key}")', columns)
                    self.assertEqual(self.rows(again), [["1", "0.5"], ["2", ""]])
        self.assertEqual(gzip.decompress(get("out/a.csv.gz")), b"id,x\n1,0.5\n2,\n")
        self.assertEqual(pq.read_table(io.BytesIO(get("out/a.parquet"))).to_pydict(), {"id": [1, 2], "x": [0.5, None]})

    def test_rejected_rows_go_to_an_object(self):
        (self.folder / "in.csv").write_text("id,x\n1,0.5\n2,-1.0\n")
        self.run_job(
            f"""dataset a from csv("in.csv") {{
  id: int key
  x: float
  expect x > 0 else quarantine "s3://{BUCKET}/rejected/bad.csv"
}}
deploy a {{ to csv("out.csv") }}
"""
        )
        self.assertEqual(get("rejected/bad.csv"), b"id,x,rule\n2,-1.0,x > 0\n")

    def test_a_run_that_fails_leaves_the_object_as_it_was(self):
        put("kept/out.csv", "old")
        (self.folder / "in.csv").write_text("id\n1\nx\n")
        self.fails(copied('csv("in.csv")', "id: int key", f'csv("s3://{BUCKET}/kept/out.csv")'), "E0704")
        self.assertEqual(get("kept/out.csv"), b"old")

    def test_an_upload_that_fails_leaves_no_parts(self):
        (self.folder / "in.csv").write_text("id,text\n" + "".join(f"{i},{'x' * 90}\n" for i in range(400_000)))
        job = copied('csv("in.csv")', "id: int key; text: string", f'csv("s3://{BUCKET}/broken/out.csv")')

        def before(method, path):
            if method == "PUT" and "partNumber=2" in path:
                raise ConnectionError

        with Gate(SERVER, before) as gate:
            self.env["AWS_ENDPOINT_URL"] = gate.url
            self.fails(job, "E0740")
        self.assertEqual(keys("broken/"), [])
        self.assertEqual(SERVER.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []), [])

    def test_a_model_tells_what_it_learned_from(self):
        rows = "".join(f"{i},{i % 7},{'true' if i % 7 > 3 else 'false'}\n" for i in range(400))
        put("model/a.csv", "id,x,y\n" + rows)
        job = f"""dataset a from csv("s3://{BUCKET}/model/a.csv") {{ id: int key; x: int; y: bool label }}
transform rows from a {{ split test 25% }}
model m from rows {{ input x; output y: bool; fit logistic_regression; evaluate auc }}
deploy m {{ to registry("models") }}
"""
        self.run_job(job)
        manifest = next(self.folder.glob("models/m/versions/*/manifest.json")).read_text()
        self.assertIn(f's3://{BUCKET}/model/a.csv', manifest)
        self.assertNotIn(".fetched", manifest)

    def test_what_goes_to_no_object_is_refused_before_anything_runs(self):
        (self.folder / "in.csv").write_text("id,day\n1,2024-01-31\n")
        table = 'dataset a from csv("in.csv") { id: int key; day: date }\n'
        for target, what in [
            (f'parquet("s3://{BUCKET}/folder", mode = append)', "in an object store"),
            (f'parquet("s3://{BUCKET}/folder", partition = day)', "in an object store"),
            ('csv("gs://bucket/out.csv")', "gs://"),
        ]:
            with self.subTest(target):
                self.fails(table + f"deploy a {{ to {target} }}\n", "E0901", what, command="check")


if __name__ == "__main__":
    unittest.main()
