//! What holds for every database: SQLite always, and the servers whose URLs stand in DBJOB_TEST_SERVERS, which
//! tests/databases/run.sh sets.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use dbjob_database::{Chunk, Database, Mode, Values, Write, Written};
use dbjob_plan::{Cancel, DataType, DatabaseSystem, Field, Relation, RunError, Value};

struct Place {
    system: DatabaseSystem,
    database: Database,
}

/// Runs a check on every database.
fn everywhere(check: impl Fn(&Place)) {
    let folder = tempfile::tempdir().unwrap();
    let mut places = vec![place(DatabaseSystem::Sqlite, "test.db", folder.path())];
    for url in std::env::var("DBJOB_TEST_SERVERS").unwrap_or_default().split_whitespace() {
        let system = if url.starts_with("postgres") { DatabaseSystem::Postgres } else { DatabaseSystem::Mysql };
        places.push(place(system, url, folder.path()));
    }
    places.iter().for_each(check);
}

fn place(system: DatabaseSystem, at: &str, base: &Path) -> Place {
    Place { system, database: Database::new(system, at, base, None).unwrap() }
}

/// A name that no other test has.
fn name(word: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("{word}_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

impl Place {
    fn write(
        &self,
        table: &str,
        mode: Mode,
        fields: &[Field],
        chunks: Vec<Result<Chunk, RunError>>,
    ) -> Result<Written, RunError> {
        let write = Write { table: table.into(), mode, columns: fields.to_vec() };
        self.database.writer(write, &Cancel::default())?.write(&mut chunks.into_iter())
    }

    fn read(&self, relation: &Relation, fields: &[Field]) -> Result<Vec<Vec<Value>>, RunError> {
        let mut rows = Vec::new();
        self.database.read(relation, fields, &Cancel::default(), &mut |chunk| {
            for row in 0..chunk.rows {
                let scale = |f: &Field| if let DataType::Decimal { scale, .. } = f.dtype { scale } else { 0 };
                rows.push(chunk.columns.iter().zip(fields).map(|(c, f)| c.value(row, scale(f))).collect());
            }
            Ok(())
        })?;
        Ok(rows)
    }

    fn ids(&self, table: &str) -> Vec<i64> {
        let rows = self.read(&Relation::Table(table.into()), &[int("id")]).unwrap();
        let mut ids: Vec<i64> = rows.iter().map(|r| r[0].as_i64().unwrap()).collect();
        ids.sort_unstable();
        ids
    }
}

fn int(name: &str) -> Field {
    Field::new(name, DataType::Int, false)
}

fn ints(values: &[i64]) -> Chunk {
    Chunk { rows: values.len(), columns: vec![Values::Int(values.iter().copied().map(Some).collect())] }
}

fn pairs(rows: &[(i64, &str)]) -> Chunk {
    let ids = Values::Int(rows.iter().map(|r| Some(r.0)).collect());
    Chunk { rows: rows.len(), columns: vec![ids, Values::Text(rows.iter().map(|r| Some(r.1.to_owned())).collect())] }
}

fn pair_fields() -> Vec<Field> {
    vec![int("id"), Field::new("name", DataType::String, true)]
}

fn once() -> Mode {
    Mode::Append { by: "job deploy".into(), once: name("write") }
}

#[test]
fn every_type_comes_back_as_it_was() {
    let decimal = |precision, scale| DataType::Decimal { precision, scale };
    let list = |item| DataType::List { item: Box::new(item) };
    everywhere(|place| {
        let n = 3;
        let columns = vec![
            ("a int", DataType::Int, Values::Int(vec![Some(i64::MIN), None, Some(i64::MAX)])),
            ("float", DataType::Float, Values::Float(vec![Some(0.1), None, Some(-1.7e308)])),
            ("small", decimal(12, 2), Values::Decimal(vec![Some(-123_456_789_012), None, Some(1)])),
            ("large", decimal(38, 10), Values::Decimal(vec![Some(10_i128.pow(38) - 1), None, Some(-1)])),
            ("bool", DataType::Bool, Values::Bool(vec![Some(true), None, Some(false)])),
            (
                "te\"x`t",
                DataType::String,
                Values::Text(vec![Some("Größe 'é' \\ \t\n\r 漢字 🦀 \\N".into()), None, Some(String::new())]),
            ),
            (
                "level",
                DataType::Category { levels: None },
                Values::Text(vec![Some("a".into()), None, Some("A".into())]),
            ),
            ("date", DataType::Date, Values::Date(vec![Some(-354_285), None, Some(19_782)])),
            ("time", DataType::Datetime, Values::Datetime(vec![Some(-1), None, Some(1_709_164_800_123_456)])),
            ("span", DataType::Duration, Values::Duration(vec![Some(-3_723_000_001), None, Some(86_400_000_000)])),
            (
                "list",
                list(DataType::String),
                Values::List(vec![Some(vec![Value::String("a,\"{}\\".into()), Value::Null]), None, Some(vec![])]),
            ),
            (
                "numbers",
                list(DataType::Int),
                Values::List(vec![Some(vec![Value::Int(i64::MAX)]), None, Some(vec![Value::Int(0), Value::Null])]),
            ),
            (
                "vector",
                DataType::Vector { width: Some(2) },
                Values::List(vec![
                    Some(vec![Value::Float(0.1), Value::Float(-2.0)]),
                    None,
                    Some(vec![Value::Float(1e-300); 2]),
                ]),
            ),
        ];
        let fields: Vec<Field> = columns.iter().map(|(n, t, _)| Field::new(*n, t.clone(), true)).collect();
        let chunk = Chunk { rows: n, columns: columns.into_iter().map(|(_, _, v)| v).collect() };
        let table = name("types");
        let written = place.write(&table, Mode::Replace, &fields, vec![Ok(chunk.clone())]).unwrap();
        assert_eq!(written.rows, n as u64);
        let mut back = Vec::new();
        let relation = Relation::Table(table.clone());
        place
            .database
            .read(&relation, &fields, &Cancel::default(), &mut |c| {
                back.push(c);
                Ok(())
            })
            .unwrap();
        assert_eq!(back, [chunk.clone()], "{:?}", place.system);
        // Again into the same table, and what is inferred of it.
        place.write(&table, Mode::Replace, &fields, vec![Ok(chunk)]).unwrap();
        let inferred = place.database.infer(&relation).unwrap();
        assert_eq!(
            inferred.iter().map(|f| &f.name).collect::<Vec<_>>(),
            fields.iter().map(|f| &f.name).collect::<Vec<_>>()
        );
        for (found, field) in inferred.iter().zip(&fields) {
            assert!(found.nullable);
            if !matches!(field.dtype, DataType::Category { .. } | DataType::List { .. } | DataType::Vector { .. }) {
                assert_eq!(found.dtype, field.dtype, "{} of {:?}", field.name, place.system);
            }
        }
        let query = Relation::Query(
            format!("select \"a int\" as x, 1 as one from {table} where bool -- all\n;").replace('"', quote(place)),
        );
        let rows = place
            .read(&query, &[Field::new("one", DataType::Int, false), Field::new("x", DataType::Int, true)])
            .unwrap();
        assert_eq!(rows, [[Value::Int(1), Value::Int(i64::MIN)]]);
    });
}

fn quote(place: &Place) -> &'static str {
    if place.system == DatabaseSystem::Mysql { "`" } else { "\"" }
}

#[test]
fn numbers_without_a_place_are_refused_rather_than_changed() {
    everywhere(|place| {
        let table = name("nan");
        let floats = |x| Chunk { rows: 1, columns: vec![Values::Float(vec![Some(x)])] };
        let field = [Field::new("x", DataType::Float, true)];
        let done = place.write(&table, Mode::Replace, &field, vec![Ok(floats(f64::NAN))]);
        match place.system {
            DatabaseSystem::Postgres => {
                let rows = place.read(&Relation::Table(table), &field).unwrap();
                assert!(matches!(rows[0][0], Value::Float(x) if x.is_nan()));
            }
            _ => assert_eq!(done.unwrap_err().code, "E0735"),
        }
    });
}

#[test]
fn replace_puts_the_rows_in_place_of_the_old_ones_or_changes_nothing() {
    everywhere(|place| {
        let table = name("replaced");
        let fields = [int("id")];
        assert_eq!(
            place.write(&table, Mode::Replace, &fields, vec![Ok(ints(&[1, 2])), Ok(ints(&[3]))]).unwrap().rows,
            3
        );
        assert_eq!(place.ids(&table), [1, 2, 3]);
        let broken = vec![Ok(ints(&[7; 3000])), Err(RunError::new("E0711", "no"))];
        assert_eq!(place.write(&table, Mode::Replace, &fields, broken).unwrap_err().code, "E0711");
        assert_eq!(place.ids(&table), [1, 2, 3]);
        place.write(&table, Mode::Replace, &fields, vec![Ok(ints(&[9]))]).unwrap();
        assert_eq!(place.ids(&table), [9]);
        // Other columns: a new table, and again the old one if it fails.
        let broken = vec![Ok(pairs(&[(1, "a")])), Err(RunError::new("E0711", "no"))];
        place.write(&table, Mode::Replace, &pair_fields(), broken).unwrap_err();
        assert_eq!(place.ids(&table), [9]);
        place.write(&table, Mode::Replace, &pair_fields(), vec![Ok(pairs(&[(1, "a"), (2, "b")]))]).unwrap();
        assert_eq!(place.ids(&table), [1, 2]);
        place.write(&table, Mode::Replace, &pair_fields(), vec![]).unwrap();
        assert_eq!(place.ids(&table), [0; 0]);
    });
}

#[test]
fn an_append_is_done_once() {
    everywhere(|place| {
        let table = name("appended");
        let (fields, mode) = ([int("id")], once());
        let first = place.write(&table, mode.clone(), &fields, vec![Ok(ints(&[1, 2]))]).unwrap();
        assert_eq!(first, Written { rows: 2, repeated: false });
        let again = place.write(&table, mode, &fields, vec![Ok(ints(&[1, 2]))]).unwrap();
        assert_eq!(again, Written { rows: 2, repeated: true });
        assert_eq!(place.ids(&table), [1, 2]);
        let mode = once();
        let broken = vec![Ok(ints(&[3])), Err(RunError::new("E0711", "no"))];
        place.write(&table, mode.clone(), &fields, broken).unwrap_err();
        assert_eq!(place.ids(&table), [1, 2]);
        // What failed is not taken for done, and neither is what another writes.
        let Mode::Append { once, .. } = mode.clone() else { panic!() };
        assert!(!place.write(&table, Mode::Append { by: "other".into(), once }, &fields, vec![]).unwrap().repeated);
        assert!(!place.write(&table, mode, &fields, vec![Ok(ints(&[3]))]).unwrap().repeated);
        assert_eq!(place.ids(&table), [1, 2, 3]);
    });
}

#[test]
fn an_upsert_changes_what_is_there_and_adds_the_rest() {
    everywhere(|place| {
        for key in [vec!["id".to_owned()], vec!["name".into(), "id".into()]] {
            let (table, fields) = (name("upserted"), pair_fields());
            let mode = Mode::Upsert { key: key.clone() };
            place.write(&table, mode.clone(), &fields, vec![Ok(pairs(&[(1, "a"), (2, "b")]))]).unwrap();
            place.write(&table, mode.clone(), &fields, vec![Ok(pairs(&[(2, "b")])), Ok(pairs(&[(3, "ß'")]))]).unwrap();
            if key.len() == 1 {
                place.write(&table, mode.clone(), &fields, vec![Ok(pairs(&[(1, "new")]))]).unwrap();
            }
            let mut rows = place.read(&Relation::Table(table.clone()), &fields).unwrap();
            rows.sort_by_key(|r| r[0].as_i64());
            let names: Vec<&str> = rows.iter().map(|r| r[1].as_str().unwrap()).collect();
            assert_eq!(names, [if key.len() == 1 { "new" } else { "a" }, "b", "ß'"]);
            let twice = place.write(&table, mode.clone(), &fields, vec![Ok(pairs(&[(5, "x"), (5, "x")]))]).unwrap_err();
            assert_eq!(twice.code, "E0735");
            assert!(twice.message.contains("the same key") && twice.message.contains('5'), "{}", twice.message);
            let null = Chunk { rows: 1, columns: vec![Values::Int(vec![None]), Values::Text(vec![None])] };
            let null = place.write(&table, mode, &fields, vec![Ok(null)]).unwrap_err();
            assert!(null.message.contains("is null in some rows"), "{}", null.message);
            assert_eq!(place.ids(&table), [1, 2, 3]);
        }
    });
}

#[test]
fn what_is_not_there_is_named_with_what_is_near() {
    everywhere(|place| {
        let table = name("orders");
        place.write(&table, Mode::Replace, &pair_fields(), vec![Ok(pairs(&[(1, "a")]))]).unwrap();
        let missing = place.read(&Relation::Table(format!("{table}x")), &[int("id")]).unwrap_err();
        assert_eq!(missing.code, "E0732");
        assert!(missing.help.unwrap().contains(&table));
        let here = Relation::Table(table.clone());
        let column = place.read(&here, &[int("idd")]).unwrap_err();
        assert_eq!((column.code.as_str(), column.help.as_deref()), ("E0705", Some("did you mean id?")));
        let clash = place.read(&here, &[int("name")]).unwrap_err();
        assert_eq!(clash.code, "E0717");
        assert!(clash.message.to_lowercase().contains("text, declared is int"), "{}", clash.message);
        assert_eq!(clash.help.as_deref(), Some("declare `name: string` and convert it in a `derive`"));
        let query = place.read(&Relation::Query("selec 1".into()), &[int("id")]).unwrap_err();
        assert_eq!(query.code, "E0733", "{}", query.message);
        let other = [int("id"), int("name")];
        let chunk = Chunk { rows: 1, columns: vec![Values::Int(vec![Some(1)]), Values::Int(vec![Some(1)])] };
        let clash = place.write(&table, once(), &other, vec![Ok(chunk)]).unwrap_err();
        assert_eq!(clash.code, "E0735", "{}", clash.message);
        let column = place.write(&table, once(), &[int("idd")], vec![Ok(ints(&[1]))]).unwrap_err();
        assert!(column.help.unwrap().contains("did you mean id?"));
        assert_eq!(place.ids(&table), [1]);
    });
}

#[test]
fn a_query_changes_nothing() {
    everywhere(|place| {
        let table = name("kept");
        place.write(&table, Mode::Replace, &[int("id")], vec![Ok(ints(&[1]))]).unwrap();
        for query in [format!("delete from {table}"), format!("drop table {table}")] {
            place.read(&Relation::Query(query), &[int("id")]).unwrap_err();
        }
        assert_eq!(place.ids(&table), [1]);
    });
}

#[test]
fn many_rows_come_in_chunks_of_bounded_size() {
    everywhere(|place| {
        let table = name("many");
        let chunks = (0..20).map(|c| Ok(ints(&(c * 5000..(c + 1) * 5000).collect::<Vec<_>>()))).collect();
        assert_eq!(place.write(&table, Mode::Replace, &[int("id")], chunks).unwrap().rows, 100_000);
        let (mut rows, mut sum, mut largest) = (0, 0, 0);
        place
            .database
            .read(&Relation::Table(table.clone()), &[int("id")], &Cancel::default(), &mut |chunk| {
                largest = largest.max(chunk.rows);
                rows += chunk.rows;
                let Values::Int(ids) = &chunk.columns[0] else { panic!() };
                sum += ids.iter().flatten().sum::<i64>();
                Ok(())
            })
            .unwrap();
        assert_eq!((rows, sum), (100_000, (0..100_000).sum()));
        assert!(largest < 50_000);
        let cancel = Cancel::default();
        let stop = cancel.clone();
        let stopped = place.database.read(&Relation::Table(table), &[int("id")], &cancel, &mut |_| {
            stop.cancel();
            Ok(())
        });
        assert_eq!(stopped.unwrap_err().code, "E0718");
    });
}
