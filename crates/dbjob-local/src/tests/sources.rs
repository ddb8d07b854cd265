use dbjob_plan::{Backend, CsvOptions, DataType, Encoding, Field, Format, Refinement, RunError, Schema, Source, Value};
use polars::prelude::{DataFrame, ParquetWriter, TimeUnit, df};

use super::*;

fn read(bench: &mut Bench, format: Format, path: &str, fields: Vec<Field>) -> Result<DataFrame, RunError> {
    let node = bench.read("data", format, path, fields);
    bench.rows(node)
}

fn csv(content: &[u8], options: CsvOptions, fields: Vec<Field>) -> Result<Vec<String>, RunError> {
    let mut bench = Bench::new();
    bench.file("data.csv", content);
    read(&mut bench, Format::Csv(options), "data.csv", fields).map(|t| lines(&t))
}

fn plain(content: &str, fields: Vec<Field>) -> Result<Vec<String>, RunError> {
    csv(content.as_bytes(), CsvOptions::default(), fields)
}

#[test]
fn every_type_and_null() {
    let fields = vec![
        field("i", Int),
        field("x", Float),
        field("b", Bool),
        field("d", Date),
        field("t", Datetime),
        field("s", Text),
        field("c", DataType::Category { levels: Some(vec!["u".into(), "v".into()]) }),
    ];
    let text = "i,x,b,d,t,s,c\n-3,1.5e3,true,2024-02-29,2024-02-29T09:30:00Z,\"a,\"\"b\"\"\n\",u\n,,,,,\"\",\n7,2,FALSE,1970-01-01,1970-01-01 00:00,x,v\n";
    for text in
        [text.to_string(), text.replace('\n', "\r\n").replace("\"\"\r\n\"", "\"\"\n\""), format!("\u{feff}{text}")]
    {
        assert_eq!(
            plain(&text, fields.clone()).unwrap(),
            [
                "-3 1500.0 true @2024-02-29 @2024-02-29T09:30:00 \"a,\\\"b\\\"\\n\" \"u\"",
                "null null null null null null null",
                "7 2.0 false @1970-01-01 @1970-01-01T00:00:00 \"x\" \"v\"",
            ]
        );
    }
}

#[test]
fn options() {
    let o = CsvOptions::default;
    let two = || vec![field("a", Int), field("b", Text)];
    let ok = |content: &[u8], options: CsvOptions, expected: &[&str]| {
        assert_eq!(csv(content, options, two()).unwrap(), expected, "{}", String::from_utf8_lossy(content));
    };
    ok(b"b;a\nx;1\n", CsvOptions { delimiter: b';', ..o() }, &["1 \"x\""]);
    ok(b"a,b\n1,'x,y'\n", CsvOptions { quote: Some(b'\''), ..o() }, &["1 \"x,y\""]);
    ok(b"a,b\n1,\"x\n", CsvOptions { quote: None, ..o() }, &["1 \"\\\"x\""]);
    ok(b"1,x\n2,y\n", CsvOptions { header: false, ..o() }, &["1 \"x\"", "2 \"y\""]);
    ok(b"a,b\nNA,x\n2,-\n", CsvOptions { nulls: vec!["NA".into(), "-".into()], ..o() }, &["null \"x\"", "2 null"]);
    ok(b"junk, more, junk\n\na,b\n1,x\n", CsvOptions { skip: 1, ..o() }, &["1 \"x\""]);
    ok(b"# one, two, three\na,b\n#\n1,x\n", CsvOptions { comment: Some("#".into()), ..o() }, &["1 \"x\""]);
    ok(b"// one\na,b\n1,x\n// \"two\n2,y", CsvOptions { comment: Some("//".into()), ..o() }, &["1 \"x\"", "2 \"y\""]);
    ok(b"a,b\n1,caf\xe9\n", CsvOptions { encoding: Encoding::Latin1, ..o() }, &["1 \"café\""]);
    // White space around numbers, blank lines, no line end at the end.
    ok(b"a,b\n 1 ,x\n\n2,y", o(), &["1 \"x\"", "2 \"y\""]);
    let comma = CsvOptions { delimiter: b';', decimal_comma: true, ..o() };
    assert_eq!(
        csv(b"x;s\n1,5;a\n-2;b\n", comma, vec![field("x", Float), field("s", Text)]).unwrap(),
        ["1.5 \"a\"", "-2.0 \"b\""]
    );
}

#[test]
fn wrong_cells_are_named_with_row_line_and_column() {
    let range =
        |low, high| Refinement::Range { low: Some(Value::Int(low)), high: Some(Value::Int(high)), inclusive: true };
    let n = |dtype| field("n", dtype);
    let refined = Field { refinement: Some(range(1, 500)), ..n(Int) };
    let one_of = Field { refinement: Some(Refinement::OneOf(vec![Value::String("p".into())])), ..n(Text) };
    let level = n(DataType::Category { levels: Some(vec!["DE".into(), "FR".into()]) });
    for (content, column, code, row, line, value) in [
        ("k,n\na,1\nb,x\n", n(Int), "E0704", 2, 3, Some("x")),
        ("k,n\na,1\nb,1.5\n", n(Int), "E0704", 2, 3, Some("1.5")),
        ("k,n\na,1\nb,9223372036854775808\n", n(Int), "E0704", 2, 3, Some("9223372036854775808")),
        ("k,n\n\"two\nlines\",1\nb,x\n", n(Float), "E0704", 2, 4, Some("x")),
        ("k,n\na,true\nb,maybe\n", n(Bool), "E0704", 2, 3, Some("maybe")),
        ("k,n\na,2024-02-29\nb,2023-02-29\n", n(Date), "E0704", 2, 3, Some("2023-02-29")),
        ("k,n\na,2024-02-29\nb,2024-02-29T99:00\n", n(Datetime), "E0704", 2, 3, Some("2024-02-29T99:00")),
        ("k,n\n\n\na,1\nb,\n", required("n", Int), "E0706", 2, 5, None),
        ("k,n\na,1\nb,\"\"\n", required("n", Text), "E0706", 2, 3, None),
        ("k,n\na,1\nb,501\n", refined.clone(), "E0707", 2, 3, Some("501")),
        ("k,n\na,1\nb,0\n", refined, "E0707", 2, 3, Some("0")),
        ("k,n\na,p\nb,q\n", one_of, "E0707", 2, 3, Some("\"q\"")),
        ("k,n\na,DE\nb,UK\n", level, "E0707", 2, 3, Some("\"UK\"")),
        ("k,n\na,1\nb\n", n(Int), "E0703", 2, 3, None),
        ("k,n\na,1\nb,2,3\n", n(Int), "E0703", 2, 3, None),
        ("k,n\na,1,9\nb\n", n(Int), "E0703", 1, 2, None),
        ("k,n\na,1\nb,\"2\nc,3\n", n(Text), "E0703", 2, 3, None),
    ] {
        let result = plain(content, vec![column.clone()]);
        let error = result.expect_err(content);
        assert_eq!(error.code, code, "{content:?}: {error}");
        let data = error.data.clone().expect("a place");
        assert_eq!((data.row, data.line), (Some(row), Some(line)), "{content:?}: {error}");
        assert_eq!(data.value.as_deref(), value, "{content:?}: {error}");
        assert!(data.file.is_some() && error.message.contains("data.csv"), "{error}");
        if code != "E0703" {
            assert_eq!(data.column.as_deref(), Some("n"), "{error}");
        }
    }
    let error = csv(b"n\nok\ncaf\xe9\n", CsvOptions::default(), vec![n(Text)]).unwrap_err();
    assert_eq!((error.code.as_str(), error.data.unwrap().row), ("E0714", Some(2)));
    assert!(error.help.unwrap().contains("latin-1"));
}

#[test]
fn columns_that_nothing_reads_are_not_judged() {
    assert_eq!(plain("k,n\na,1\nb,2\n", vec![field("n", Int)]).unwrap(), ["1", "2"]);
    let mut bench = Bench::new();
    bench.file("data.csv", "k,n\nx,1\ny,2\n");
    let node =
        bench.read("data", Format::Csv(CsvOptions::default()), "data.csv", vec![field("k", Int), field("n", Int)]);
    let only = dbjob_plan::Op::Project { columns: vec![dbjob_plan::Projection { from: "n".into(), to: "n".into() }] };
    let node = bench.step(only, vec![field("n", Int)], &[node]);
    assert_eq!(lines(&bench.rows(node).unwrap()), ["1", "2"]);
}

#[test]
fn missing_files_and_columns_come_with_near_names() {
    let mut bench = Bench::new();
    bench.file("orders.csv", "user_id,amount\n1,2\n");
    let format = || Format::Csv(CsvOptions::default());
    let error = read(&mut bench, format(), "order.csv", vec![field("a", Int)]).unwrap_err();
    assert_eq!(error.code, "E0701");
    assert!(error.help.unwrap().contains("orders.csv"));
    assert_eq!(read(&mut bench, format(), "no/such.csv", vec![field("a", Int)]).unwrap_err().code, "E0701");
    assert_eq!(read(&mut bench, format(), "x*.csv", vec![field("a", Int)]).unwrap_err().code, "E0701");
    let error = read(&mut bench, format(), "orders.csv", vec![field("userid", Int)]).unwrap_err();
    assert_eq!(error.code, "E0705");
    assert!(error.help.unwrap().contains("user_id"));
    bench.file("twice.csv", "a,a\n1,2\n");
    assert_eq!(read(&mut bench, format(), "twice.csv", vec![field("a", Int)]).unwrap_err().code, "E0705");
    bench.file("empty.csv", "");
    assert_eq!(read(&mut bench, format(), "empty.csv", vec![field("a", Int)]).unwrap_err().code, "E0702");
    bench.file("blank.csv", "\n\n");
    assert_eq!(read(&mut bench, format(), "blank.csv", vec![field("a", Int)]).unwrap_err().code, "E0702");
    bench.file("header.csv", "a,b\n");
    assert_eq!(read(&mut bench, format(), "header.csv", vec![field("a", Int)]).unwrap().height(), 0);
    std::fs::create_dir(bench.path("folder")).unwrap();
    assert_eq!(read(&mut bench, format(), "folder", vec![field("a", Int)]).unwrap_err().code, "E0701");
}

#[test]
fn a_pattern_reads_files_in_order_whatever_their_columns_order() {
    let mut bench = Bench::new();
    bench.file("p-2.csv", "b,a\n3,4\n");
    bench.file("p-1.csv", "a,b\n1,2\n");
    let fields = || vec![field("a", Int), field("b", Int)];
    let format = || Format::Csv(CsvOptions::default());
    assert_eq!(lines(&read(&mut bench, format(), "p-*.csv", fields()).unwrap()), ["1 2", "4 3"]);
    bench.file("p-3.csv", "a,b\n1,x\n");
    let error = read(&mut bench, format(), "p-*.csv", fields()).unwrap_err();
    assert!(error.data.unwrap().file.unwrap().ends_with("p-3.csv"));
}

#[test]
fn parquet_types_are_widened() {
    let mut bench = Bench::new();
    let mut rows = df![
        "i" => [1_i32, 2], "f" => [1.5_f32, 2.5], "u" => [1_u64, 2], "s" => ["a", "b"],
        "ns" => [1_500_000_001_i64, -1], "ms" => [1_500_i64, -1],
    ]
    .unwrap();
    for (name, unit) in [("ns", TimeUnit::Nanoseconds), ("ms", TimeUnit::Milliseconds)] {
        let typed = rows.column(name).unwrap().cast(&polars::prelude::DataType::Datetime(unit, None)).unwrap();
        rows.with_column(typed).unwrap();
    }
    let fields = vec![
        required("i", Int),
        field("f", Float),
        field("u", Int),
        field("s", Text),
        field("ns", Datetime),
        field("ms", Datetime),
    ];
    let node = bench.table("data", rows, fields);
    assert_eq!(
        lines(&bench.rows(node).unwrap()),
        [
            "1 1.5 1 \"a\" @1970-01-01T00:00:01.5 @1970-01-01T00:00:01.5",
            "2 2.5 2 \"b\" @1969-12-31T23:59:59.999999 @1969-12-31T23:59:59.999"
        ]
    );
    let wrong = bench.read("other", Format::Parquet, "data.parquet", vec![field("s", Int)]);
    let error = bench.rows(wrong).unwrap_err();
    assert_eq!(error.code, "E0717");
    assert!(error.help.unwrap().contains("s: string"));
}

#[test]
fn wrong_parquet_is_named() {
    let mut bench = Bench::new();
    let rows = df!["n" => [Some(1_i64), None, Some(900)]].unwrap();
    let node = bench.table("data", rows.clone(), vec![required("n", Int)]);
    let error = bench.rows(node).unwrap_err();
    assert_eq!((error.code.as_str(), error.data.unwrap().row), ("E0706", Some(2)));
    let range = Refinement::Range { low: Some(Value::Int(1)), high: Some(Value::Int(500)), inclusive: true };
    let node = bench.table("data", rows.clone(), vec![Field { refinement: Some(range), ..field("n", Int) }]);
    let error = bench.rows(node).unwrap_err();
    assert_eq!((error.code.as_str(), error.data.unwrap().value.unwrap().as_str()), ("E0707", "900"));
    let node = bench.table("data", rows, vec![field("m", Int)]);
    assert_eq!(bench.rows(node).unwrap_err().code, "E0705");
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut df!["n" => (0..5_000_i64).collect::<Vec<_>>()].unwrap()).unwrap();
    for keep in [bytes.len() / 2, bytes.len() - 1, 8, 3] {
        bench.file("cut.parquet", &bytes[..keep]);
        let error = read(&mut bench, Format::Parquet, "cut.parquet", vec![field("n", Int)]).unwrap_err();
        assert_eq!(error.code, "E0712", "{keep}: {error}");
    }
    bench.file("none.parquet", "");
    assert_eq!(read(&mut bench, Format::Parquet, "none.parquet", vec![field("n", Int)]).unwrap_err().code, "E0702");
}

#[test]
fn ndjson() {
    let fields = || {
        vec![field("a", Int), field("x", Float), field("d", Date), field("l", DataType::List { item: Box::new(Int) })]
    };
    let ok = |text: &str| {
        let mut bench = Bench::new();
        bench.file("data.ndjson", text);
        read(&mut bench, Format::Ndjson, "data.ndjson", fields()).map(|t| lines(&t))
    };
    let good = "{\"a\":1,\"x\":2,\"d\":\"2024-02-29\",\"l\":[1,2],\"other\":{}}\n\n{\"x\":0.1}";
    assert_eq!(ok(good).unwrap(), ["1 2.0 @2024-02-29 [1, 2]", "null 0.1 null null"]);
    for (line, code, column) in [
        ("{\"a\":1.5}", "E0704", Some("a")),
        ("{\"a\":\"1\"}", "E0704", Some("a")),
        ("{\"d\":\"soon\"}", "E0704", Some("d")),
        ("{\"a\":1", "E0712", None),
        ("[1]", "E0712", None),
    ] {
        let error = ok(&format!("{good}\n{line}\n")).unwrap_err();
        let data = error.data.clone().unwrap();
        assert_eq!((error.code.as_str(), data.line, data.row), (code, Some(4), Some(3)), "{line}: {error}");
        assert_eq!(data.column.as_deref(), column);
    }
    let error = ok("{\"b\":1,\"x\":1,\"d\":null,\"l\":null}").unwrap_err();
    assert_eq!((error.code.as_str(), error.data.unwrap().column.unwrap().as_str()), ("E0705", "a"));
}

#[test]
fn a_quote_that_is_never_closed_swallows_no_rows() {
    let two = || vec![field("a", Int), field("b", Text)];
    for text in ["a,b\n1,x\n2,\"y\n3,z\n", "a,b\n1,x\n2,\"y\"\"\n3,z", "a,b\r\n1,x\r\n2,\"y, z\r\n"] {
        let error = plain(text, two()).unwrap_err();
        let at = error.data.unwrap();
        assert_eq!((error.code.as_str(), at.row, at.line), ("E0703", Some(2), Some(3)), "{text:?}");
        assert!(error.message.ends_with("opens a quote that is never closed"), "{}", error.message);
        let error = inferred(Format::Csv(CsvOptions::default()), "data.csv", text.as_bytes()).unwrap_err();
        assert_eq!(error.code, "E0703", "{text:?}");
    }
    // Quotes inside of a cell are characters like any other, and a closed quote may end the file.
    assert_eq!(plain("a,b\n1,5\" disk\n2,\"y\"", two()).unwrap(), ["1 \"5\\\" disk\"", "2 \"y\""]);
}

fn inferred(format: Format, name: &str, content: &[u8]) -> Result<String, RunError> {
    let bench = Bench::new();
    bench.file(name, content);
    let source = Source { format, path: name.into(), outside: None, columns: vec![], key: vec![] };
    let schema: Schema = LocalEngine.infer(&source, bench.folder.path())?;
    Ok(schema.fields.iter().map(Field::to_string).collect::<Vec<_>>().join(", "))
}

#[test]
fn types_are_inferred() {
    let csv = |text: &str| inferred(Format::Csv(CsvOptions::default()), "data.csv", text.as_bytes());
    assert_eq!(
        csv("i,x,b,d,t,s,zip,n,e\n1,1,true,2024-01-01,2024-01-01T00:00,a,01234,,1e3\n2,1.5,False,2024-01-02,2024-01-01,1,2,,2\n").unwrap(),
        "i: int, x: float, b: bool, d: date, t: datetime, s: string, zip: string, n: string?, e: float"
    );
    assert_eq!(csv("a,b\n1,x\n,y\n").unwrap(), "a: int?, b: string");
    assert_eq!(csv("a,b\n1\n").unwrap_err().code, "E0703");
    let json = inferred(
        Format::Ndjson,
        "d.ndjson",
        b"{\"a\":1,\"b\":true,\"t\":\"2024-01-01\"}\n{\"a\":1.5,\"b\":null,\"l\":[1]}\n",
    );
    assert_eq!(json.unwrap(), "a: float, b: bool?, t: date?, l: list[int]?");
    let json = |text: &str| inferred(Format::Ndjson, "d.ndjson", text.as_bytes());
    assert_eq!(json("{\"a\":\"2024-01-01\"}\n{\"a\":\"x\"}\n").unwrap(), "a: string");
    for mixed in ["{\"a\":1}\n{\"a\":\"x\"}\n", "{\"a\":null}\n{\"a\":{\"b\":1}}\n", "{}\n{\"a\":[1,true]}\n"] {
        let error = json(mixed).unwrap_err();
        let at = error.data.unwrap();
        assert_eq!((error.code.as_str(), at.line, at.column.as_deref()), ("E0717", Some(2), Some("a")), "{mixed}");
    }
    let mut bytes = Vec::new();
    let mut rows = df!["i" => [1_i32, 2], "s" => [Some("a"), None]].unwrap();
    ParquetWriter::new(&mut bytes).finish(&mut rows).unwrap();
    assert_eq!(inferred(Format::Parquet, "d.parquet", &bytes).unwrap(), "i: int, s: string?");
}

#[test]
fn fingerprints_are_sha256() {
    let bench = Bench::new();
    bench.file("a.csv", "abc");
    bench.file("b.csv", "abc");
    let csv = |path: &str| Source {
        format: Format::Csv(CsvOptions::default()),
        path: path.into(),
        columns: Vec::new(),
        key: Vec::new(),
        outside: None,
    };
    let one = crate::source::fingerprint("d", bench.folder.path(), &csv("a.csv")).unwrap();
    assert_eq!(
        (one.bytes, one.sha256.as_str()),
        (3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    );
    let both = crate::source::fingerprint("d", bench.folder.path(), &csv("*.csv")).unwrap();
    assert_eq!(both.bytes, 6);
    assert_ne!(both.sha256, one.sha256);
}

/// Written by pyarrow 26: narrow ints, dictionaries, zones, lists.
#[test]
fn parquet_of_other_writers() {
    let mut bench = Bench::new();
    bench.file("arrow.parquet", include_bytes!("data/arrow.parquet"));
    let ints = DataType::List { item: Box::new(Int) };
    let columns = [
        ("i8", Int, "1 null -3"),
        ("i16", Int, "1 null -3"),
        ("u32", Int, "1 null 4000000000"),
        ("i8", Float, "1.0 null -3.0"),
        ("dict", Text, "\"a\" null \"b\""),
        ("dict", DataType::Category { levels: None }, "\"a\" null \"b\""),
        ("large", Text, "\"x\" null \"y\""),
        ("utc", Datetime, "@1970-01-01T00:00:00 null @1970-01-01T00:00:01.5"),
        ("paris", Datetime, "@1970-01-01T00:00:00 null @1970-01-01T00:00:01.5"),
        ("ns", Datetime, "@1970-01-01T00:00:00 null @1970-01-01T00:00:01.5"),
        ("d", Date, "@1970-01-01 null @1970-01-02"),
        ("d64", Datetime, "@1970-01-01T00:00:00 null @1970-01-02T00:00:00"),
        ("list", ints, "[1, 2] null []"),
    ];
    let mut wrong = Vec::new();
    for (name, dtype, expected) in columns {
        match read(&mut bench, Format::Parquet, "arrow.parquet", vec![field(name, dtype.clone())]) {
            Ok(table) if values(&table, name) == expected => {}
            Ok(table) => wrong.push(format!("{name}: {dtype} gives {}", values(&table, name))),
            Err(error) => wrong.push(format!("{name}: {dtype} fails: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Types that polars lacks in this build are refused where they are wanted, and no trouble elsewhere.
#[test]
fn parquet_types_that_cannot_be_read() {
    let mut bench = Bench::new();
    bench.file("odd.parquet", include_bytes!("data/odd.parquet"));
    let fields = || vec![field("n", Int), field("dict", Text)];
    let table = read(&mut bench, Format::Parquet, "odd.parquet", fields()).unwrap();
    assert_eq!(lines(&table), ["1 \"a\"", "null null", "3 \"b\""]);
    for name in ["u8", "f16", "dec", "time"] {
        let mut all = fields();
        all.push(field(name, Int));
        let error = read(&mut bench, Format::Parquet, "odd.parquet", all).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.data.unwrap().column.as_deref()),
            ("E0717", Some(name)),
            "{}",
            error.message
        );
    }
    let source =
        Source { format: Format::Parquet, path: "odd.parquet".into(), outside: None, columns: vec![], key: vec![] };
    assert_eq!(LocalEngine.infer(&source, bench.folder.path()).unwrap_err().code, "E0717");
}
