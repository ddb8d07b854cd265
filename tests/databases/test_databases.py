"""Jobs on real servers: what is written is read back, what fails changes nothing, and no message shows a password."""

import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from servers import PASSWORD, QUOTED, MariaDb, Postgres, free_port, install

DBJOB = os.environ["DBJOB"]
ROOT = Path(__file__).resolve().parents[2]
SERVERS: list = []


def setUpModule() -> None:
    install()
    SERVERS.extend([Postgres(), MariaDb()])


def tearDownModule() -> None:
    for server in SERVERS:
        server.remove()


class Jobs(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dbjob-databases-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def env(self, **values: str) -> dict[str, str]:
        return {**os.environ, **values}

    def job(self, text: str, name: str = "job.dbjob") -> None:
        (self.folder / name).write_text(text)

    def run_job(self, name: str = "job.dbjob", fails: str | None = None, **env: str) -> str:
        command = [DBJOB, "run", "--fresh", name]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, env=self.env(**env), timeout=110)
        said = done.stdout + done.stderr
        for secret in (PASSWORD, QUOTED):
            self.assertNotIn(secret, said)
        if fails is None:
            self.assertEqual(done.returncode, 0, said)
        else:
            self.assertEqual(done.returncode, 1, said)
            self.assertIn(f"error[{fails}]", said)
        return " ".join(said.replace("│", " ").split())

    def rows(self, count: int, start: int = 0) -> None:
        with open(self.folder / "rows.csv", "w") as f:
            f.write("id,name,amount\n")
            f.writelines(f"{i},name {i},{i}.25\n" for i in range(start, start + count))

    def source(self) -> str:
        return 'dataset rows from csv("rows.csv") {\n  id: int key\n  name: string\n  amount: decimal(12, 2)\n}\n'

    def test_the_crate_on_the_servers(self) -> None:
        command = ["cargo", "test", "--release", "--workspace", "--test", "databases", "--quiet"]
        urls = " ".join(server.url() for server in SERVERS)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=self.env(DBJOB_TEST_SERVERS=urls))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_million_rows_there_and_back_with_bounded_memory(self) -> None:
        self.rows(1_000_000)
        for server in SERVERS:
            with self.subTest(server.kind):
                self.job(self.source() + f'deploy big from rows {{ to {server.kind}(secret("DB"), table = "big") }}')
                self.run_job(DB=server.url())
                self.assertEqual(server.sql("SELECT count(*), sum(id), sum(amount) FROM big").strip(), "1000000|499999500000|499999750000.00")
                columns = "{\n  id: int key\n  name: string\n  amount: decimal(12, 2)\n}\n"
                self.job(f'dataset big from {server.kind}(secret("DB"), table = "big") {columns}deploy out from big {{ to parquet("out.parquet") }}')
                before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
                self.run_job(DB=server.url())
                peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
                # A run holds chunks, not the table; the largest child so far counts.
                self.assertLess(max(before, peak), 900_000)

    def test_upsert_and_append_twice(self) -> None:
        for server in SERVERS:
            with self.subTest(server.kind):
                for mode, table in (("upsert(id)", "ups"), ("append", "app")):
                    self.job(self.source() + f'deploy d from rows {{ to {server.kind}(secret("DB"), table = "{table}", mode = {mode}) }}')
                    self.rows(100)
                    self.run_job(DB=server.url())
                    self.run_job(DB=server.url())
                    self.assertEqual(server.sql(f"SELECT count(*) FROM {table}").strip(), "100")
                    self.rows(100, 50)
                    self.run_job(DB=server.url())
                    self.assertEqual(server.sql(f"SELECT count(*) FROM {table}").strip(), "150" if table == "ups" else "200")

    def test_a_run_that_fails_leaves_the_old_table(self) -> None:
        for server in SERVERS:
            with self.subTest(server.kind):
                self.rows(200_000)
                target = f'to {server.kind}(secret("DB"), table = "kept")'
                self.job(self.source() + f"deploy d from rows {{ {target} }}")
                self.run_job(DB=server.url())
                rule = self.source().replace("}\n", "  expect id < 150000 else fail\n}\n")
                self.job(rule + f"deploy d from rows {{ {target} }}")
                self.run_job(DB=server.url(), fails="E0711")
                self.assertEqual(server.sql("SELECT count(*) FROM kept").strip(), "200000")

    def test_a_killed_run_leaves_the_old_table_and_the_next_one_succeeds(self) -> None:
        for server in SERVERS:
            for other in (False, True):
                with self.subTest(server.kind, other_columns=other):
                    self.rows(10)
                    target = f'to {server.kind}(secret("DB"), table = "killed")'
                    server.sql("DROP TABLE IF EXISTS killed")
                    self.job(self.source() + f"deploy d from rows {{ {target} }}")
                    self.run_job(DB=server.url())
                    self.rows(300_000)
                    more = "transform t from rows { derive more = id * 2 }\n" if other else "transform t from rows { filter id >= 0 }\n"
                    self.job(self.source() + more + f"deploy d from t {{ {target} }}")
                    for delay in (0.3, 0.8):
                        run = subprocess.Popen([DBJOB, "run", "--fresh", "job.dbjob"], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.env(DB=server.url()))
                        time.sleep(delay)
                        run.send_signal(signal.SIGKILL)
                        if run.wait() == -signal.SIGKILL:
                            self.assertIn(server.sql("SELECT count(*) FROM killed").strip(), ("10", "300000"))
                    self.run_job(DB=server.url())
                    self.assertEqual(server.sql("SELECT count(*) FROM killed").strip(), "300000")
                    if server.kind == "mysql":
                        self.assertEqual(server.sql("SHOW TABLES LIKE 'dbjob_new%'").strip(), "")

    def test_a_server_that_goes_away_is_told(self) -> None:
        for server in SERVERS:
            with self.subTest(server.kind):
                self.rows(10)
                self.job(self.source() + f'deploy d from rows {{ to {server.kind}(secret("DB"), table = "gone") }}')
                self.run_job(DB=server.url())
                self.rows(2_000_000)
                said: list[str] = []
                run = threading.Thread(target=lambda: said.append(self.run_job(DB=server.url(), fails="E0734")))
                run.start()
                # Until rows are on their way.
                working = {
                    "postgres": "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'",
                    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE id <> connection_id() AND user = 'shop' AND command <> 'Sleep'",
                }
                while run.is_alive() and server.sql(working[server.kind]).strip() == "0":
                    time.sleep(0.05)
                server.end(signal.SIGKILL)
                run.join()
                server.start()
                self.assertTrue(said, "the run did not fail as it should")
                self.assertEqual(server.sql("SELECT count(*) FROM gone").strip(), "10")

    def test_messages(self) -> None:
        for server in SERVERS:
            with self.subTest(server.kind):
                server.sql("DROP TABLE IF EXISTS orders; CREATE TABLE orders (id bigint NOT NULL, note varchar(20))")
                server.sql("INSERT INTO orders VALUES (1, NULL); GRANT ALL ON orders TO shop")

                def read(columns: str, url: str, fails: str, table: str = "orders") -> str:
                    self.job(f'dataset d from {server.kind}(env("DB"), table = "{table}") {{\n  {columns}\n}}\ndeploy o from d {{ to csv("o.csv") }}')
                    return self.run_job(DB=url, fails=fails)

                nobody = server.url().replace(f":{server.port}/", f":{free_port()}/")
                self.assertIn("nothing listens there", read("id: int", nobody, "E0730"))
                self.assertIn("are user and password of the URL right?", read("id: int", server.url(password="wrong"), "E0731"))
                read("id: int", server.url(database="shoop"), "E0731")
                self.assertIn("did you mean orders?", read("id: int", server.url(), "E0732", "order"))
                clash = read("note: int?", server.url(), "E0717")
                self.assertIn("declared is int", clash)
                self.assertIn("declare `note: string`", clash)
                self.assertIn("did you mean note?", read("notes: string?", server.url(), "E0705"))
                self.assertIn("null", read("note: string", server.url(), "E0706"))
                read("id: int in 5..", server.url(), "E0707")
                read("id: int", server.url(more="?sslmode=always"), "E0736")

    def test_encrypted_connections(self) -> None:
        postgres = SERVERS[0]
        postgres.sql("DROP TABLE IF EXISTS one; CREATE TABLE one AS SELECT 1::bigint AS id; GRANT ALL ON one TO shop")
        self.job('dataset d from postgres(secret("DB"), table = "one") {\n  id: int?\n}\ndeploy o from d { to csv("o.csv") }')
        authority = f"&sslrootcert={postgres.folder}/data/server.crt"
        self.run_job(DB=postgres.url(more="?sslmode=require"))
        self.run_job(DB=postgres.url(host="localhost", more="?sslmode=verify-full" + authority))
        self.run_job(DB=postgres.url(more="?sslmode=verify-ca" + authority))
        self.run_job(DB=postgres.url(more="?sslmode=verify-full" + authority), fails="E0730")
        self.run_job(DB=postgres.url(more="?sslmode=verify-full"), fails="E0730")


if __name__ == "__main__":
    unittest.main()
