"""The jobs with DuckDB."""

import os

import duckdb

db = duckdb.connect()
db.execute(f"SET threads = {os.environ.get('THREADS', '2')}")
# The order of a file's rows is nothing that these jobs need; DuckDB's guide advises it for large data.
db.execute("SET preserve_insertion_order = false")


def write(query, path):
    db.execute(f"COPY ({query}) TO 'out/{path}' (FORMAT parquet, COMPRESSION zstd)")


def group():
    write(
        """
        WITH rows AS (
          SELECT country, channel, month("at") AS month, cents * quantity AS total
          FROM 'events.parquet' WHERE cents >= 200 AND channel <> 'partner')
        SELECT *, large / orders AS large_share FROM (
          SELECT country, channel, month, count(*) AS orders, sum(total)::BIGINT AS cents,
            count(*) FILTER (total > 10000) AS large, avg(total / 100) AS mean, max(total) AS largest
          FROM rows GROUP BY ALL)
        ORDER BY country, channel, month
        """,
        "sold.parquet",
    )


def join():
    write(
        """
        SELECT segment, category, count(*) AS events, sum(cents * quantity)::BIGINT AS cents,
          sum(grams * quantity)::BIGINT AS grams, avg(age) AS age
        FROM 'events.parquet' JOIN 'users.parquet' USING (user_id) JOIN 'products.csv' USING (product_id)
        WHERE age >= 30 GROUP BY ALL ORDER BY ALL
        """,
        "bought.parquet",
    )


def window():
    write(
        """
        SELECT event_id, lag(cents) OVER w AS before, (sum(cents) OVER w)::BIGINT AS so_far,
          (sum(cents) OVER (PARTITION BY user_id ORDER BY "at"
            RANGE BETWEEN INTERVAL 604799999999 MICROSECONDS PRECEDING AND CURRENT ROW))::BIGINT AS week
        FROM 'events.parquet'
        WINDOW w AS (PARTITION BY user_id ORDER BY "at" ROWS UNBOUNDED PRECEDING)
        """,
        "history.parquet",
    )


def convert():
    write(
        """
        SELECT order_id, user_id, cents, share, status::ENUM ('open', 'paid', 'returned', 'sent') AS status,
          "at"::DATE AS day, cents::DOUBLE * share / 100 AS fee
        FROM read_csv('orders.csv', header = true, columns = {'order_id': 'BIGINT', 'user_id': 'BIGINT',
          'at': 'TIMESTAMP', 'cents': 'BIGINT', 'share': 'DOUBLE', 'status': 'VARCHAR'})
        WHERE cents > 0
        """,
        "clean.parquet",
    )


def sort():
    write("SELECT DISTINCT user_id, product_id FROM 'events.parquet' WHERE cents >= 1000 ORDER BY ALL", "pairs.parquet")
    write(
        """
        SELECT event_id, user_id, product_id, cents FROM 'events.parquet' ORDER BY cents DESC, event_id LIMIT 1000
        """,
        "largest.parquet",
    )


def features():
    rows = db.execute(
        """
        SELECT ln(1 + count(*)) AS visits, ln(1 + sum(quantity)) AS things, any_value(age)::DOUBLE AS age,
          any_value(segment) AS segment, any_value(plan) AS plan, ln(sum(cents)) AS log_spent, user_id % 5 = 0 AS held_out
        FROM 'events.parquet' JOIN 'users.parquet' USING (user_id) GROUP BY user_id
        """
    ).fetch_df()
    from learn import learn

    numbers, words = rows[["visits", "things", "age"]].to_numpy(), rows[["segment", "plan"]].to_numpy(dtype=object)
    learn(numbers, words, rows["log_spent"].to_numpy(), rows["held_out"].to_numpy())
