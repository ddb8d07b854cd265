//! The query of bench/flights3m.dbjob as one would write it in Rust with polars.
//!
//! usage: dbjob-bench-peer FOLDER OUTPUT [memory]   (FOLDER holds the data; `memory`: polars' in-memory engine)

use std::fs::File;
use std::path::Path;

use polars::prelude::*;

fn main() -> PolarsResult<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, output, rest @ ..] = args.as_slice() else {
        eprintln!("usage: dbjob-bench-peer FOLDER OUTPUT [memory]");
        std::process::exit(2);
    };
    let engine = if rest.first().is_some_and(|word| word == "memory") { Engine::InMemory } else { Engine::Streaming };
    let mut table = busy(Path::new(folder))?.collect_with_engine(engine)?.unwrap_single();
    CsvWriter::new(File::create(output)?).finish(&mut table)
}

fn busy(folder: &Path) -> PolarsResult<LazyFrame> {
    let path = |name: &str| PlRefPath::from(folder.join(name).to_str().expect("the folder's name is UTF-8"));
    let flights = LazyFrame::scan_parquet(path("flights-3m.parquet"), ScanArgsParquet::default())?;
    let airports = LazyCsvReader::new(path("airports.csv")).finish()?.select([col("iata"), col("state")]);
    let flown = flights
        .filter(col("delay").is_not_null().and(col("distance").gt(lit(0))).and(col("delay").gt(lit(-120))))
        .with_columns([
            col("date").dt().month().cast(DataType::Int64).alias("month"),
            col("date").dt().weekday().cast(DataType::Int64).alias("weekday"),
            col("delay").gt(lit(15)).alias("is_late"),
            (col("distance").cast(DataType::Float64) / lit(500.0)).alias("hours"),
        ])
        .with_columns([when(col("is_late")).then(col("delay") - lit(15)).otherwise(lit(0)).alias("overdue")]);
    Ok(flown
        .inner_join(airports, col("origin"), col("iata"))
        .group_by([col("state"), col("month"), col("weekday")])
        .agg([
            len().cast(DataType::Int64).alias("flights"),
            col("is_late").cast(DataType::Int64).sum().alias("late_flights"),
            col("delay").mean().alias("mean_delay"),
            col("delay").max().alias("worst_delay"),
            col("overdue").sum().alias("overdue_minutes"),
            col("distance").sum().alias("miles"),
            col("hours").sum().alias("total_hours"),
        ])
        .with_columns([
            (col("late_flights").cast(DataType::Float64) / col("flights").cast(DataType::Float64)).alias("late_share")
        ])
        .sort(["state", "month", "weekday"], SortMultipleOptions::default().with_nulls_last(true)))
}
