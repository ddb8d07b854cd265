"""schemathesis makes up requests from the server's own document: no answer is a 5xx or other than the document says."""

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from support import Server, Workspace, dbjob

CASES = int(os.environ.get("CASES", "300"))


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = cls.enterClassContext(Workspace())
        cls.server = cls.enterClassContext(Server("everything.dbjob", "-q", cwd=cls.workspace.path))

    def test_the_document_is_that_of_describe(self):
        described = json.loads(dbjob("describe", "everything.dbjob", "--format", "openapi", cwd=self.workspace.path))
        _, served = self.server.json("/openapi.json")
        self.assertEqual(served["components"], described["components"])
        self.assertEqual(served["paths"]["/predict/wants"], described["paths"]["/predict/wants"])

    def test_made_up_requests(self):
        operations = sum(len(item) for item in self.server.json("/openapi.json")[1]["paths"].values())
        each = max(1, CASES // operations)
        passed, seed = 0, 7
        # Operations without a body have few cases, so that it takes some rounds.
        while passed < CASES:
            passed += self.made_up(each, seed)
            seed += 1

    def made_up(self, each, seed):
        """How many requests were made up, all of which passed."""
        command = [
            str(Path(sys.executable).parent / "schemathesis"),
            "run",
            self.server.url + "/openapi.json",
            f"--max-examples={each}",
            "--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            "--phases=examples,coverage,fuzzing",
            "--mode=all",
            f"--seed={seed}",
            "--request-timeout=30",
            "--suppress-health-check=all",
            "--generation-database=none",
            "--no-color",
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.workspace.path)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])
        # With a warning (many requests of an operation are refused, as they should be) there is no "No issues found".
        generated, passed = re.search(r"(\d+) generated, (\d+) passed", done.stdout).groups()
        self.assertEqual(generated, passed, done.stdout)
        self.assertGreater(int(passed), 0, done.stdout)
        return int(passed)


if __name__ == "__main__":
    unittest.main()
