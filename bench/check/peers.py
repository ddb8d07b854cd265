"""The warehouse of shapes.py as projects of SQLMesh and of dbt: the same tables, columns and expressions in SQL."""

from pathlib import Path

from shapes import CHAIN, columns

SQL_TYPES = {"int": "BIGINT", "float": "DOUBLE", "datetime": "TIMESTAMP", "string": "TEXT", "category": "TEXT"}


def sql_type(declared):
    """`int in 0..=1000` -> BIGINT"""
    return SQL_TYPES[declared.split("(")[0].split()[0].rstrip("?")]


def body(group, n, source):
    """The query of one transform, about as many lines as the transform has."""
    a, b, c = n % 10, (n + 3) % 10, (n + 7) % 10
    f, g, h = n % 15, (n + 1) % 15, (n + 2) % 15
    names = [name for name, _, _ in columns(group)]
    replaced = f"CASE WHEN keep_{n} THEN COALESCE(f{h}, 0.0) + score_{n} ELSE level_{n} END AS f{h}"
    result = [replaced if name == f"f{h}" else name for name in names]
    lists = [", ".join(result[at : at + 10]) for at in range(0, len(result), 10)]
    return "\n".join(
        [
            "WITH derived AS (",
            "  SELECT",
            "    *,",
            f"    i{a} * 2 + i{b} - i{c} AS total_{n},",
            f"    COALESCE(f{f}, 0.0) / (i{a} + 1) AS ratio_{n},",
            f"    CASE WHEN i{a} > 500 THEN f1 + 1.0 ELSE f3 * 2.0 END AS level_{n},",
            f"    LN(1 + f1) + SQRT(f3) + ABS(COALESCE(f{g}, 0.0)) AS score_{n},",
            f"    EXTRACT(MONTH FROM at) + EXTRACT(ISODOW FROM at) AS month_{n},",
            f"    UPPER(COALESCE(plan, 'none')) AS name_{n}",
            f"  FROM {source}",
            f"  WHERE i{a} > {n} AND country <> 'US'",
            "), judged AS (",
            f"  SELECT *, score_{n} > 0.5 AND (name_{n} IN ('FREE', 'PAID') OR total_{n} >= 10) AS keep_{n}",
            "  FROM derived",
            ")",
            "SELECT",
            "  " + ",\n  ".join(lists),
            "FROM judged",
            f"WHERE keep_{n} OR NOT ratio_{n} IS NULL OR level_{n} > 0.0 OR month_{n} > 2",
        ]
    )


def sqlmesh(folder: Path, transforms: int):
    """A project whose sources are external models with declared types."""
    (folder / "models").mkdir(parents=True)
    (folder / "config.yaml").write_text(
        "gateways:\n  local:\n    connection:\n      type: duckdb\ndefault_gateway: local\n"
        "model_defaults:\n  dialect: duckdb\n  start: 2024-01-01\ndisable_anonymized_analytics: true\n"
    )
    external = []
    for group in range(transforms // CHAIN):
        external.append(f"- name: raw.orders_{group}\n  columns:")
        external += [f"    {name}: {sql_type(ty)}" for name, ty, _ in columns(group)]
        for n in range(CHAIN):
            source = f"raw.orders_{group}" if n == 0 else f"shop.t_{group}_{n - 1}"
            head = f"MODEL (name shop.t_{group}_{n}, kind FULL);\n\n"
            (folder / "models" / f"t_{group}_{n}.sql").write_text(head + body(group, n, source) + "\n")
    (folder / "external_models.yaml").write_text("\n".join(external) + "\n")


def dbt(folder: Path, transforms: int):
    """A project whose sources have declared types; dbt reads SQL as a template and does not look into it."""
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        "name: warehouse\nversion: '1.0'\nconfig-version: 2\nprofile: warehouse\nmodel-paths: [models]\n"
        "flags:\n  send_anonymous_usage_stats: false\n"
    )
    (folder / "profiles.yml").write_text(
        "warehouse:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: warehouse.duckdb\n"
    )
    declared = ["version: 2", "sources:", "  - name: raw", "    tables:"]
    for group in range(transforms // CHAIN):
        declared += [f"      - name: orders_{group}", "        columns:"]
        for name, ty, _ in columns(group):
            declared += [f"          - name: {name}", f"            data_type: {sql_type(ty)}"]
        for n in range(CHAIN):
            source = f"{{{{ source('raw', 'orders_{group}') }}}}" if n == 0 else f"{{{{ ref('t_{group}_{n - 1}') }}}}"
            (folder / "models" / f"t_{group}_{n}.sql").write_text(body(group, n, source) + "\n")
    (folder / "models" / "sources.yml").write_text("\n".join(declared) + "\n")


LOAD_SQLMESH = """
import sys
from sqlmesh import Context
context = Context(paths=sys.argv[1])
typed = 0
for model in context.models.values():
    types = model.columns_to_types
    assert types and len(types) == 30, (model.name, types)
    typed += len(types)
print(len(context.models), typed)
"""
"""Loads a project and asks for the columns and types of each model: what `dbjob check` must know too."""
