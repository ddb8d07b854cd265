//! Packed files, folders, patterns and partitions, read and written.

use std::fs;
use std::io::Write;

use dbjob_plan::{Backend, CsvOptions, DataType, Field, Folder, Format, Op, RunError, Source, TableFormat, Target};
use flate2::Compression;
use flate2::write::GzEncoder;
use polars::prelude::{DataFrame, ParquetWriter, df};

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(text, 0).unwrap()
}

fn csv_format() -> Format {
    Format::Csv(CsvOptions::default())
}

fn read(bench: &mut Bench, format: Format, path: &str, fields: Vec<Field>) -> Result<DataFrame, RunError> {
    let node = bench.read("data", format, path, fields);
    bench.rows(node)
}

fn source(format: Format, path: &str) -> Source {
    Source { format, path: path.into(), outside: None, columns: vec![], key: vec![] }
}

/// What is inferred of a source, and its header.
fn seen(bench: &Bench, format: Format, path: &str) -> (String, Vec<String>) {
    let source = source(format, path);
    let base = bench.folder.path();
    let fields = LocalEngine.infer(&source, base).unwrap().fields;
    let fields: Vec<String> =
        fields.iter().map(|f| format!("{}: {}{}", f.name, f.dtype, if f.nullable { "?" } else { "" })).collect();
    (fields.join(", "), LocalEngine.header(&source, base).unwrap().unwrap_or_default())
}

fn put(bench: &Bench, path: &str, mut rows: DataFrame) {
    let path = bench.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    ParquetWriter::new(fs::File::create(path).unwrap()).finish(&mut rows).unwrap();
}

#[test]
fn packed_files_of_every_format() {
    let rows = || df!["n" => [1_i64, 2], "s" => [Some("a"), None]].unwrap();
    let mut parquet = Vec::new();
    ParquetWriter::new(&mut parquet).finish(&mut rows()).unwrap();
    let all: [(Format, &str, &[u8]); 4] = [
        (csv_format(), "csv", b"n,s\n1,a\n2,\n"),
        (Format::Ndjson, "ndjson", b"{\"n\":1,\"s\":\"a\"}\n{\"n\":2}\n"),
        (Format::Json, "json", b"[{\"n\":1,\"s\":\"a\"},{\"n\":2,\"s\":null}]"),
        (Format::Parquet, "parquet", &parquet),
    ];
    for (format, ending, bytes) in all {
        for (packing, packed) in [("gz", gzip(bytes)), ("ZST", zstd(bytes))] {
            let mut bench = Bench::new();
            let path = format!("in.{ending}.{packing}");
            bench.file(&path, packed);
            let fields = vec![field("n", Int), field("s", Text)];
            let table = read(&mut bench, format.clone(), &path, fields).unwrap();
            assert_eq!(lines(&table), ["1 \"a\"", "2 null"], "{path}");
            let (fields, header) = seen(&bench, format.clone(), &path);
            assert_eq!(fields.trim_end_matches('?'), "n: int, s: string", "{path}");
            assert!(header == ["n", "s"] || ending.ends_with("json"), "{path}: {header:?}");
        }
    }
}

#[test]
fn archives_of_several_members_are_one_file() {
    for (name, packed) in [
        ("a.csv.gz", [gzip(b"n\n1\n"), gzip(b"2\n"), gzip(b"")].concat()),
        ("a.csv.zst", [zstd(b"n\n1\n"), zstd(b"2\n"), vec![0x50, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 9, 9]].concat()),
    ] {
        let mut bench = Bench::new();
        bench.file(name, packed);
        let table = read(&mut bench, csv_format(), name, vec![field("n", Int)]).unwrap();
        assert_eq!(lines(&table), ["1", "2"], "{name}");
    }
}

#[test]
fn what_is_no_archive_or_a_damaged_one_is_named() {
    let text = "n\n".to_owned() + &"12345\n".repeat(10_000);
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let flipped = |mut bytes: Vec<u8>| {
        let at = bytes.len() - 6;
        bytes[at] ^= 0xFF;
        bytes
    };
    for (name, bytes, code, part) in [
        ("a.csv.gz", text.clone().into_bytes(), "E0712", "is no gzip file"),
        ("a.csv.zst", text.clone().into_bytes(), "E0712", "is no Zstandard file"),
        ("a.csv.gz", b"\x1f".to_vec(), "E0712", "is no gzip file"),
        ("a.csv.gz", cut(gzip(text.as_bytes())), "E0712", "ends too early"),
        ("a.csv.zst", cut(zstd(text.as_bytes())), "E0712", "cannot be unpacked"),
        ("a.csv.gz", flipped(gzip(text.as_bytes())), "E0712", "cannot be unpacked"),
        ("a.csv.gz", Vec::new(), "E0702", "is empty"),
        ("a.csv.gz", gzip(b""), "E0702", "is empty"),
        ("a.csv.gz", gzip(b"n\n1\nx\n"), "E0704", "row 2 (line 3)"),
        ("a.csv.gz", gzip(b"m\n1\n"), "E0705", "has no column"),
    ] {
        let mut bench = Bench::new();
        bench.file(name, bytes);
        let error = read(&mut bench, csv_format(), name, vec![field("n", Int)]).unwrap_err();
        assert!(error.code == code && error.message.contains(part), "{part}: {error}");
        let file = bench.path(name).display().to_string();
        assert!(error.message.contains(&file) && !error.message.contains(".fetched"), "{error}");
        assert_eq!(error.data.unwrap().file, Some(file), "{part}");
    }
}

/// Of a large packed file only the beginning is unpacked for its columns.
#[test]
fn the_columns_of_a_large_packed_file_are_those_of_its_beginning() {
    let bench = Bench::new();
    let mut text = b"n,s\n".to_vec();
    while text.len() < (65 << 20) {
        text.extend_from_slice(b"1,\"a, b\"\n");
    }
    text.extend_from_slice(b"x,y\n");
    bench.file("a.csv.zst", zstd(&text));
    let (fields, header) = seen(&bench, csv_format(), "a.csv.zst");
    assert_eq!((fields.as_str(), header), ("n: int?, s: string?", vec!["n".to_owned(), "s".into()]));
}

#[test]
fn tables_are_packed_as_the_name_ends() {
    let mut bench = Bench::new();
    let rows = df!["n" => [1_i64, 2], "s" => [Some("a"), None]].unwrap();
    let fields = vec![field("n", Int), field("s", Text)];
    let input = bench.table("rows", rows, fields.clone());
    let mut all = Vec::new();
    for packing in ["gz", "zst"] {
        for (format, target) in [
            (csv_format(), Target::Csv { path: format!("out.csv.{packing}") }),
            (Format::Ndjson, Target::Ndjson { path: format!("out.ndjson.{packing}") }),
            (Format::Parquet, Target::Parquet { path: format!("out.parquet.{packing}") }),
            (Format::Arrow, Target::Arrow { path: format!("out.arrow.{packing}") }),
        ] {
            let path = target.place().to_owned();
            bench.deploy(&path, target, input);
            all.push((format, path));
        }
    }
    bench.run().unwrap();
    for (format, path) in all {
        let bytes = fs::read(bench.path(&path)).unwrap();
        assert!(bytes.starts_with(if path.ends_with("gz") { &[0x1F, 0x8B] } else { &[0x28, 0xB5] }), "{path}");
        let mut again = Bench::new();
        again.file(&path, bytes);
        assert_eq!(lines(&read(&mut again, format, &path, fields.clone()).unwrap()), ["1 \"a\"", "2 null"], "{path}");
    }
    assert!(bench.names().iter().all(|name| !name.ends_with(".tmp")), "{:?}", bench.names());
}

#[test]
fn a_failed_run_leaves_the_old_packed_file() {
    let mut bench = Bench::new();
    bench.file("out.csv.gz", "old");
    let input = bench.csv("data", "n\n1\nx\n", vec![field("n", Int)]);
    bench.deploy("out", Target::Csv { path: "out.csv.gz".into() }, input);
    assert_eq!(bench.run().unwrap_err().code, "E0704");
    assert_eq!(fs::read_to_string(bench.path("out.csv.gz")).unwrap(), "old");
    assert_eq!(bench.names(), ["data.csv", "out.csv.gz"]);
}

#[test]
fn folders_and_patterns() {
    let mut bench = Bench::new();
    for (path, text) in [
        ("d/b.csv", "n\n2\n"),
        ("d/a/x.csv", "n\n1\n"),
        ("d/c/y/z.csv", "n\n4\n"),
        ("d/_SUCCESS", "no table"),
        ("d/.hidden.csv", "no table"),
        ("d/_temporary/0.csv", "no table"),
        ("d/notes.txt", "no table"),
        ("[x]/e.csv", "n\n5\n"),
    ] {
        fs::create_dir_all(bench.path(path).parent().unwrap()).unwrap();
        bench.file(path, text);
    }
    fs::create_dir_all(bench.path("d/c")).unwrap();
    bench.file("d/c/p.csv.gz", gzip(b"n\n3\n"));
    for (path, expected) in [
        ("d", "1 2 3 4"),
        ("d/", "1 2 3 4"),
        ("d/b*.csv", "2"),
        ("d/**/[a-z].csv", "1 2 4"),
        ("d/c/**/*", "3 4"),
        ("[x]/e.csv", "5"),
    ] {
        let table = read(&mut bench, csv_format(), path, vec![field("n", Int)]).unwrap();
        assert_eq!(values(&table, "n"), expected, "{path}");
    }
    let error = read(&mut bench, Format::Parquet, "d", vec![field("n", Int)]).unwrap_err();
    assert!(error.code == "E0701" && error.message.contains(".parquet or .pq"), "{error}");
}

fn sales() -> Bench {
    let bench = Bench::new();
    let one = |n: i64| df!["n" => [n]].unwrap();
    put(&bench, "sales/day=2024-01-31/country=DE/a.parquet", one(1));
    put(&bench, "sales/day=2024-02-01/country=a%2Fb/a.parquet", one(2));
    put(&bench, "sales/day=2024-02-01/country=__HIVE_DEFAULT_PARTITION__/a.parquet", one(3));
    bench
}

#[test]
fn partitions_are_columns_in_their_declared_types() {
    let mut bench = sales();
    let fields = || vec![field("country", Text), field("day", Date), field("n", Int)];
    for path in ["sales", "sales/**/*.parquet", "sales/*/*/*.parquet"] {
        let table = read(&mut bench, Format::Parquet, path, fields()).unwrap();
        assert_eq!(sorted(&table), ["\"DE\" @2024-01-31 1", "\"a/b\" @2024-02-01 2", "null @2024-02-01 3"], "{path}");
    }
    // The part of the path that is written out gives columns as well.
    let table = read(&mut bench, Format::Parquet, "sales/day=2024-01-31", vec![field("day", Text), field("n", Int)]);
    assert_eq!(lines(&table.unwrap()), ["\"2024-01-31\" 1"]);
    // Columns of the path alone.
    let table = read(&mut bench, Format::Parquet, "sales", vec![field("day", Date)]).unwrap();
    assert_eq!(sorted(&table), ["@2024-01-31", "@2024-02-01", "@2024-02-01"]);
    let (fields, mut header) = seen(&bench, Format::Parquet, "sales");
    assert_eq!(fields, "n: int?, day: date, country: string?");
    header.sort();
    assert_eq!(header, ["country", "day", "n"]);
}

#[test]
fn partitions_that_are_not_as_declared_are_named() {
    let levels = DataType::Category { levels: Some(vec!["DE".into()]) };
    for (column, code, part) in [
        (field("day", Int), "E0704", "\"2024-01-31\" is not an int"),
        (required("country", Text), "E0706", "country"),
        (Field::new("country", levels, true), "E0707", "a/b"),
        (field("week", Int), "E0705", "has no column \"week\""),
    ] {
        let mut bench = sales();
        let error = read(&mut bench, Format::Parquet, "sales", vec![field("n", Int), column.clone()]).unwrap_err();
        assert!(error.code == code && error.message.contains(part), "{part}: {error}");
        assert_eq!(error.data.unwrap().column, Some(column.name));
    }
}

/// What stands above a partition and needs a few of its columns, or none.
#[test]
fn queries_over_partitions() {
    let mut bench = sales();
    let fields = || vec![field("n", Int), field("day", Date), field("country", Text)];
    let node = bench.read("data", Format::Parquet, "sales", fields());
    let predicate = op(BinaryOp::Eq, col("country", Text), text("DE"));
    let filtered = bench.step(Op::Filter { predicate }, fields(), &[node]);
    assert_eq!(lines(&bench.rows(filtered).unwrap()), ["1 @2024-01-31 \"DE\""]);
    let named = |name: &str, expr: Expr| dbjob_plan::NamedExpr { name: name.into(), expr };
    let group = Op::Group {
        keys: vec![named("day", col("day", Date))],
        aggregates: vec![named("n", aggregate("count", vec![], Int))],
    };
    let grouped = bench.step(group, vec![field("day", Date), field("n", Int)], &[node]);
    assert_eq!(sorted(&bench.rows(grouped).unwrap()), ["@2024-01-31 1", "@2024-02-01 2"]);
    let count = Op::Group { keys: vec![], aggregates: vec![named("n", aggregate("count", vec![], Int))] };
    let counted = bench.step(count, vec![field("n", Int)], &[node]);
    assert_eq!(lines(&bench.rows(counted).unwrap()), ["3"]);
}

#[test]
fn what_is_written_in_partitions_reads_back_equal() {
    let mut bench = Bench::new();
    let days = df!["d" => [Some(19_753_i32), None, Some(19_753)]].unwrap();
    let day = days.column("d").unwrap().cast(&crate::types::polars_type(&Date)).unwrap();
    let mut rows = df!["n" => [1_i64, 2, 3], "s" => [Some("a/b=%"), Some(""), None]].unwrap();
    rows.with_column(day).unwrap();
    let fields = vec![field("n", Int), field("s", Text), field("d", Date)];
    let input = bench.table("rows", rows.clone(), fields.clone());
    let partition = vec!["d".to_owned(), "s".into()];
    let folder = Folder { path: "out".into(), format: TableFormat::Parquet, append: false, partition };
    bench.deploy("out", Target::Folder(folder), input);
    bench.run().unwrap();
    let mut again = Bench::new();
    fs::rename(bench.path("out"), again.path("out")).unwrap();
    let back = read(&mut again, Format::Parquet, "out", fields).unwrap();
    assert_eq!(sorted(&back), sorted(&rows));
}
