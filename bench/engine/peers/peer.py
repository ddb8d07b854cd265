"""One job of one peer, in the folder of the data. usage: peer.py polars|duckdb|pandas|pyspark JOB"""

import importlib
import sys

getattr(importlib.import_module(f"with_{sys.argv[1]}"), sys.argv[2])()
