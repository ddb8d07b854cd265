"""Jobs of a chosen size for the benchmark of `dbjob check`. Every text is the same on every machine."""

COLUMNS = 30
"""Columns of every table of a warehouse."""

CHAIN = 10
"""Transforms that follow one another, from one dataset."""

LINES_A_TRANSFORM = 20
"""Lines of a warehouse for each of its transforms, datasets and deployments included."""


def columns(dataset):
    """(name, type as declared, attribute) of a dataset's 30 columns."""
    declared = [("id", "int", "key"), ("customer", "int in 1..", "id"), ("at", "datetime", "time")]
    declared += [("country", 'category("DE", "FR", "US", "GB")', ""), ("plan", "string?", "")]
    declared += [(f"i{n}", "int in 0..=1000", "") for n in range(10)]
    declared += [(f"f{n}", "float in 0.0.." if n % 2 else "float?", "") for n in range(15)]
    assert len(declared) == COLUMNS, dataset
    return declared


def chain(group):
    """The text of a dataset, what is made of it in ten transforms, and where the last one goes."""
    out = [f"## Orders of region {group}."]
    out.append(f'dataset orders_{group} from parquet("data/orders_{group}.parquet") {{')
    out += [f"  {name}: {ty} {attribute}".rstrip() for name, ty, attribute in columns(group)]
    out += ["  expect f1 <= 1000000.0 else drop", "}", ""]
    for n in range(CHAIN):
        source = f"orders_{group}" if n == 0 else f"t_{group}_{n - 1}"
        a, b, c = n % 10, (n + 3) % 10, (n + 7) % 10
        f, g, h = n % 15, (n + 1) % 15, (n + 2) % 15
        out += [
            f"transform t_{group}_{n} from {source} {{",
            f"  filter i{a} > {n} and country != \"US\"",
            "  derive {",
            f"    total_{n} = i{a} * 2 + i{b} - i{c}",
            f"    ratio_{n} = (f{f} ?? 0.0) / (i{a} + 1)",
            f"    level_{n} = if i{a} > 500 then f1 + 1.0 else f3 * 2.0",
            f"    score_{n} = log1p(f1) + sqrt(f3) + abs(f{g} ?? 0.0)",
            f"    month_{n} = month(at) + weekday(at)",
            f"    name_{n} = upper(coalesce(plan, \"none\"))",
            "  }",
            f"  derive keep_{n} = score_{n} > 0.5 and (name_{n} in [\"FREE\", \"PAID\"] or total_{n} >= 10)",
            f"  filter keep_{n} or ratio_{n} is not null or level_{n} > 0.0 or month_{n} > 2",
            f"  derive replace f{h} = if keep_{n} then (f{h} ?? 0.0) + score_{n} else level_{n}",
            f"  drop total_{n}, ratio_{n}, level_{n}, month_{n}, name_{n}, keep_{n}, score_{n}",
            "}",
            "",
        ]
    last = f"t_{group}_{CHAIN - 1}"
    out += [f"deploy {last} {{", f'  to parquet("out/{last}.parquet")', "}", ""]
    return out


def warehouse(transforms):
    """About 20 lines and 30 columns a transform: chains of ten, each from a dataset to a file."""
    out = ["job warehouse {", "  seed = 7", "}", ""]
    for group in range(transforms // CHAIN):
        out += chain(group)
    return "\n".join(out)


def derives(count):
    """One transform with that many derived columns, each from the one before it."""
    out = ['dataset source from parquet("data/source.parquet") {', "  id: int key", "  x: float in 0.0..", "}", ""]
    out += ["transform wide from source {", "  derive {", "    d0 = x + 1.0"]
    out += [f"    d{n} = log1p(d{n - 1} ?? 0.0) + x * {n}.0" for n in range(1, count)]
    out += ["  }", "}", "", "deploy wide {", '  to parquet("out/wide.parquet")', "}", ""]
    return "\n".join(out)


def wide(width, steps):
    """One table of that many columns through that many steps."""
    out = ['dataset source from parquet("data/source.parquet") {', "  id: int key"]
    out += [f"  c{n}: float?" for n in range(width - 1)]
    out += ["}", "", "transform wide from source {"]
    for n in range(steps // 5):
        out += [
            f"  filter c{n} > 0.0",
            f"  derive n{n} = c{n} + 1.0",
            f"  sort n{n}",
            f"  derive replace c{n + 1} = n{n} * 2.0",
            f"  drop n{n}",
        ]
    out += ["}", "", "deploy wide {", '  to parquet("out/wide.parquet")', "}", ""]
    return "\n".join(out)


def nested(depth, count):
    """Derived columns whose expressions are trees of that depth."""
    out = ['dataset source from parquet("data/source.parquet") {', "  id: int key", "  x: float", "  y: float", "}", ""]
    out += ["transform deep from source {"]
    for n in range(count):
        tree = "x"
        for level in range(depth):
            tree = f"({tree} + y * {level}.0)" if level % 3 else f"abs({tree} - y)"
        out.append(f"  derive e{n} = {tree}")
    out += ["}", "", "deploy deep {", '  to parquet("out/deep.parquet")', "}", ""]
    return "\n".join(out)


SHAPES = {
    "1,000 lines": lambda: warehouse(1_000 // LINES_A_TRANSFORM),
    "10,000 lines": lambda: warehouse(10_000 // LINES_A_TRANSFORM),
    "1,000 transforms": lambda: warehouse(1_000),
    "100,000 lines": lambda: warehouse(100_000 // LINES_A_TRANSFORM),
    "10,000 derives in one transform": lambda: derives(10_000),
    "30,000 columns through 50 steps": lambda: wide(30_000, 50),
    "500 expressions 40 levels deep": lambda: nested(40, 500),
}
