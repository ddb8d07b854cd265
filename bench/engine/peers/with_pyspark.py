"""The jobs with PySpark on this machine."""

import os

# Looking up the name of the machine takes half a minute where there is no network.
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as f

threads = os.environ.get("THREADS", "2")
spark = (
    SparkSession.builder.master(f"local[{threads}]")
    .config("spark.driver.memory", os.environ.get("SPARK_MEMORY", "6g"))
    .config("spark.sql.shuffle.partitions", str(4 * int(threads)))
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.local.dir", os.path.abspath("out"))
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def write(rows, path):
    rows.write.mode("overwrite").option("compression", "zstd").parquet(f"out/{path}")


def group():
    rows = spark.read.parquet("events.parquet").where("cents >= 200 and channel <> 'partner'")
    rows = rows.withColumns({"month": f.month("at"), "total": f.expr("cents * quantity")})
    rows = rows.withColumns({"is_large": f.expr("total > 10000"), "euros": f.expr("total / 100")})
    sold = rows.groupBy("country", "channel", "month").agg(
        f.count("*").alias("orders"),
        f.sum("total").alias("cents"),
        f.count_if("is_large").alias("large"),
        f.mean("euros").alias("mean"),
        f.max("total").alias("largest"),
    )
    sold = sold.withColumn("large_share", f.expr("large / orders")).orderBy("country", "channel", "month")
    write(sold, "sold.parquet")


def join():
    users = spark.read.parquet("users.parquet").select("user_id", "age", "segment")
    products = spark.read.schema("product_id long, category string, grams long").csv("products.csv", header=True)
    rows = spark.read.parquet("events.parquet").join(users, "user_id").join(products, "product_id").where("age >= 30")
    bought = rows.groupBy("segment", "category").agg(
        f.count("*").alias("events"),
        f.expr("sum(cents * quantity)").alias("cents"),
        f.expr("sum(grams * quantity)").alias("grams"),
        f.mean("age").alias("age"),
    )
    write(bought.orderBy("segment", "category"), "bought.parquet")


def window():
    rows = spark.read.parquet("events.parquet").withColumn("t", f.expr("unix_micros(cast(at as timestamp))"))
    by = Window.partitionBy("user_id").orderBy("t")
    history = rows.select(
        "event_id",
        f.lag("cents").over(by).alias("before"),
        f.sum("cents").over(by.rowsBetween(Window.unboundedPreceding, 0)).alias("so_far"),
        f.sum("cents").over(by.rangeBetween(-604_799_999_999, 0)).alias("week"),
    )
    write(history, "history.parquet")


def convert():
    schema = "order_id long, user_id long, at timestamp_ntz, cents long, share double, status string"
    rows = spark.read.schema(schema).csv("orders.csv", header=True, mode="FAILFAST").where("cents > 0")
    rows = rows.withColumns({"day": f.to_date("at"), "fee": f.expr("cast(cents as double) * share / 100")})
    write(rows.drop("at"), "clean.parquet")


def sort():
    events = spark.read.parquet("events.parquet")
    pairs = events.where("cents >= 1000").select("user_id", "product_id").distinct().orderBy("user_id", "product_id")
    write(pairs, "pairs.parquet")
    largest = events.select("event_id", "user_id", "product_id", "cents")
    write(largest.orderBy(f.desc("cents"), "event_id").limit(1000), "largest.parquet")


def features():
    rows = spark.read.parquet("events.parquet").groupBy("user_id").agg(
        f.expr("log1p(count(*))").alias("visits"),
        f.expr("log1p(sum(quantity))").alias("things"),
        f.expr("ln(sum(cents))").alias("log_spent"),
    )
    rows = rows.join(spark.read.parquet("users.parquet"), "user_id").withColumn("held_out", f.expr("user_id % 5 = 0"))
    rows = rows.toPandas()
    from learn import learn

    numbers, words = rows[["visits", "things", "age"]].to_numpy(float), rows[["segment", "plan"]].to_numpy(dtype=object)
    learn(numbers, words, rows["log_spent"].to_numpy(float), rows["held_out"].to_numpy())
