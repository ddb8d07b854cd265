"""The documents that `dbjob describe` writes, judged by validators that know nothing of dbjob."""

import copy
import json
import os
import pathlib
import subprocess
import unittest

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
DBJOB = os.environ["DBJOB"]
JOBS = sorted(HERE.glob("*.dbjob")) + sorted((ROOT / "examples").glob("*.dbjob"))


def describe(job, *args):
    done = subprocess.run([DBJOB, "--quiet", "describe", str(job), *args], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def models(job):
    return [item["name"] for item in describe(job, "--format", "json")["items"] if item["kind"] == "model"]


def validator(schema):
    return Draft202012Validator(schema, format_checker=FormatChecker())


def a_row(schema):
    """The example of a schema, or the least that its fields allow."""
    if schema.get("examples"):
        return copy.deepcopy(schema["examples"][0])
    return None


class Documents(unittest.TestCase):
    def each_schema(self):
        seen = 0
        for job in JOBS:
            for model in models(job):
                with self.subTest(job=job.name, model=model):
                    seen += 1
                    yield describe(job, "--request", model, "--format", "json-schema")
        self.assertGreaterEqual(seen, 6)

    def test_openapi_documents_are_valid(self):
        for job in JOBS:
            with self.subTest(job=job.name):
                api = describe(job, "--format", "openapi")
                OpenAPIV31SpecValidator(api).validate()
                self.assertEqual(len(api["paths"]), len(models(job)))

    def test_schemas_are_valid_and_take_their_own_examples(self):
        examples = 0
        for schema in self.each_schema():
            Draft202012Validator.check_schema(schema)
            for example in schema.get("examples", []):
                examples += 1
                validator(schema).validate(example)
        self.assertGreaterEqual(examples, 4)

    def test_a_row_without_a_field_or_with_one_more_is_refused(self):
        for schema in self.each_schema():
            row = a_row(schema)
            if row is None:
                continue
            for name in list(row):
                self.assertFalse(validator(schema).is_valid({k: v for k, v in row.items() if k != name}), name)
            self.assertFalse(validator(schema).is_valid({**row, "one more": 1}))

    def test_null_and_a_wrong_type_are_taken_only_where_they_may_be(self):
        for schema in self.each_schema():
            row = a_row(schema)
            if row is None:
                continue
            for name, field in schema["properties"].items():
                nullable = "null" in field["type"]
                self.assertEqual(validator(schema).is_valid({**row, name: None}), nullable, name)
                self.assertFalse(validator(schema).is_valid({**row, name: {"no": "value"}}), name)

    def test_the_openapi_row_is_the_schema_of_the_request(self):
        for job in JOBS:
            api = describe(job, "--format", "openapi")
            for model in models(job):
                with self.subTest(job=job.name, model=model):
                    schema = describe(job, "--request", model, "--format", "json-schema")
                    schema.pop("$schema")
                    self.assertEqual(api["components"]["schemas"][f"{model}.row"], schema)

    def test_a_body_is_one_row_or_a_list_of_rows(self):
        for job in JOBS:
            api = describe(job, "--format", "openapi")
            registry = Registry().with_resource("urn:api", Resource(contents=api, specification=DRAFT202012))
            for path, item in api["paths"].items():
                body = item["post"]["requestBody"]["content"]["application/json"]["schema"]
                body = json.loads(json.dumps(body).replace("#/components", "urn:api#/components"))
                check = Draft202012Validator(body, registry=registry)
                model = path.removeprefix("/predict/")
                row = a_row(api["components"]["schemas"][f"{model}.row"])
                if row is None:
                    continue
                with self.subTest(job=job.name, path=path):
                    self.assertTrue(check.is_valid(row))
                    self.assertTrue(check.is_valid([row, row]))
                    self.assertFalse(check.is_valid([]))
                    self.assertFalse(check.is_valid("row"))


class Bounds(unittest.TestCase):
    """What tests/openapi/types.dbjob says of its fields, by values on both sides of each end."""

    @classmethod
    def setUpClass(cls):
        cls.fields = describe(HERE / "types.dbjob", "--request", "wants", "--format", "json-schema")["properties"]

    def takes(self, name, value):
        return validator(self.fields[name]).is_valid(value)

    def assert_ends(self, name, inside, outside):
        for value in inside:
            self.assertTrue(self.takes(name, value), f"{name} takes {value!r}")
        for value in outside:
            self.assertFalse(self.takes(name, value), f"{name} refuses {value!r}")

    def test_ints(self):
        self.assert_ends("count", [2, 500], [1, 501, 2.5, "2", None, True])
        self.assert_ends("below", [0, 9], [-1, 10])
        self.assert_ends("some", [1, 3], [0, 4])
        # A filter of training keeps 0 and less out; the division behind it relies on "not 0" and on nothing more.
        self.assert_ends("maybe", [1, -1, 2**63 - 1], [0, 0.0, None, 2**63])

    def test_floats_and_bools(self):
        self.assert_ends("ratio", [0.26, 0.999], [0.25, 1.0, None, "0.5"])
        self.assert_ends("sure", [True, False], [0, 1, "true", None])
        self.assert_ends("A, B & C", [-1.5, 3], [None, "1"])

    def test_texts_and_levels(self):
        self.assert_ends("name", ["", "ä"], [None, 1])
        self.assert_ends("word", ["a", "b"], ["c", "", None])
        self.assert_ends("size", ["S", "L", None], ["XL", "", 1])
        self.assert_ends("kind", ["anything"], [None, 1])

    def test_dates(self):
        self.assert_ends("day", ["2024-02-29"], ["2023-02-29", "29.02.2024", "", None, 20240229])
        self.assert_ends("at", ["2024-02-29T09:30:00Z", None], ["2024-02-29", "yesterday"])

    def test_docs_reach_the_schema(self):
        self.assertIn("Of the crate that it came in.", self.fields["count"]["description"])


if __name__ == "__main__":
    unittest.main()
