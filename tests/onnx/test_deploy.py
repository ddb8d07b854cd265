"""When an ONNX file is written, and what it says of rows that `dbjob predict` refuses."""

import math
import unittest

import numpy as np

import jobs
from support import Workspace, answers, open_onnx

JOB = jobs.PENGUINS + jobs.model(
    "species_of", "measured", "bill_length_mm, sex, island", "species: category", "logistic_regression", "require accuracy >= 0.5"
)


class Deploy(unittest.TestCase):
    def test_written_once_again_when_lost_and_never_against_a_gate(self):
        with Workspace() as workspace:
            file = workspace.path / "out/species_of.onnx"
            workspace.run(JOB)
            first, when = file.read_bytes(), file.stat().st_mtime_ns
            workspace.run(JOB)
            self.assertEqual(file.stat().st_mtime_ns, when, "nothing has changed")
            file.unlink()
            workspace.run(JOB)
            self.assertEqual(file.read_bytes(), first, "the same model gives the same bytes")
            file.write_bytes(b"something else")
            workspace.run(JOB)
            self.assertEqual(file.read_bytes(), first)
            said = workspace.run(JOB.replace(">= 0.5", ">= 2.0"), code=1)
            self.assertIn("is not written", said)
            self.assertEqual(file.read_bytes(), first, "what was there stays")
            self.assertEqual([p.name for p in file.parent.iterdir()], [file.name], "nothing is left over")

    def test_refused_rows(self):
        with Workspace() as workspace:
            workspace.run(JOB)
            session = open_onnx(workspace.path / "out/species_of.onnx")
            out = answers(session, {
                # In its range, null, beyond the range, in its range.
                "bill_length_mm": np.array([40.0, math.nan, 90.0, 40.0]),
                # Null, known, known, none of the levels.
                "sex": np.array(["", "male", "female", "none"], dtype=object),
                # An open category may have levels that are new.
                "island": np.array(["Dream", "Atlantis", "Dream", "Dream"], dtype=object),
            })
            self.assertEqual(out["prediction_refused"], [False, False, True, True])
            sums = zip(*(out[f"prediction_probability_{s}"] for s in ["Adelie", "Chinstrap", "Gentoo"]))
            self.assertTrue(all(abs(sum(row) - 1) < 1e-12 for row in sums))


if __name__ == "__main__":
    unittest.main()
