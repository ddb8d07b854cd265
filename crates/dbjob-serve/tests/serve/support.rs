//! A model whose answers follow from `count` alone, and a client that sends what it is told to.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dbjob_plan::{Field, Manifest, RunError, TableFormat};
use dbjob_serve::{
    Columns, FileError, FileLimits, Limits, Live, Options, Refusal, Scored, Scorer, Server, Shelf, Values, start,
};
use serde_json::{Value, json};

pub struct Fake {
    manifest: Manifest,
    pub batches: AtomicUsize,
}

impl Fake {
    pub fn version(version: u64) -> Arc<Self> {
        let mut manifest: Manifest = serde_json::from_str(include_str!("manifest.json")).unwrap();
        manifest.version = version;
        Arc::new(Self { manifest, batches: AtomicUsize::new(0) })
    }
}

/// `count` is refused above 400; 13 is a panic. The probability tells `count` and the version.
impl Scorer for Fake {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn fields(&self) -> &[Field] {
        &self.manifest.request
    }

    fn score(&self, rows: &Columns) -> Scored {
        self.batches.fetch_add(1, Ordering::Relaxed);
        let Values::Int(counts) = &rows.columns[0] else { panic!("count is an int") };
        let counts: Vec<i64> = counts.iter().map(|c| c.unwrap()).collect();
        assert!(!counts.contains(&13), "an unlucky number");
        let why = || Refusal::Row { reason: "is above 400".into(), column: Some("count".into()) };
        let refused = counts.iter().enumerate().filter(|(_, c)| **c > 400).map(|(at, _)| (at, why())).collect();
        let good: Vec<i64> = counts.into_iter().filter(|c| *c <= 400).collect();
        let share = |c: &i64| Some(*c as f64 / 1000.0 + self.manifest.version as f64);
        let columns = vec![
            ("prediction".to_owned(), Values::Bool(good.iter().map(|c| Some(*c > 200)).collect())),
            ("prediction_probability".to_owned(), Values::Float(good.iter().map(share).collect())),
        ];
        Scored { columns, refused }
    }

    /// A file is the counts as text.
    fn read_table(&self, _: TableFormat, file: &[u8], limits: FileLimits) -> Result<Columns, FileError> {
        let text = std::str::from_utf8(file).map_err(|e| FileError::Broken(e.to_string()))?;
        let counts: Option<Vec<i64>> = text.split(' ').map(|c| c.parse().ok()).collect();
        let Some(counts) = counts else { return Err(FileError::Wrong(vec![("count".into(), "is no int".into())])) };
        if counts.len() > limits.rows {
            return Err(FileError::TooLarge("it has too many rows".into()));
        }
        let of = |count: &i64| -> Columns {
            let json = row(*count).as_object().unwrap().clone();
            let mut columns = Columns::of(self.fields());
            for (field, values) in self.manifest.request.iter().zip(&mut columns.columns) {
                match (values, &json[&field.name]) {
                    (Values::Int(v), x) => v.push(x.as_i64()),
                    (Values::Float(v), x) => v.push(x.as_f64()),
                    (Values::Bool(v), x) => v.push(x.as_bool()),
                    (Values::Text(v), x) => v.push(x.as_str().map(str::to_owned)),
                    (Values::Date(v), _) => v.push(Some(20_000)),
                    (other, _) if field.nullable => other.push_null(),
                    (Values::Decimal(v), _) => v.push(Some(100)),
                    (other, _) => panic!("{other:?}"),
                }
            }
            columns.finish_row();
            columns
        };
        let mut all = Columns::of(self.fields());
        counts.iter().for_each(|count| all.append(of(count)));
        Ok(all)
    }

    fn write_table(&self, _: TableFormat, columns: &[(String, Values)]) -> Result<Vec<u8>, String> {
        Ok(format!("{:?}", columns[0].1).into_bytes())
    }
}

/// Versions that a test puts there.
pub struct Versions(pub Mutex<Vec<(Live, Option<Arc<Fake>>)>>);

impl Shelf for Versions {
    fn live(&self) -> Result<Vec<Live>, String> {
        Ok(self.0.lock().unwrap().iter().map(|(live, _)| live.clone()).collect())
    }

    fn open(&self, live: &Live) -> Result<Arc<dyn Scorer>, RunError> {
        let all = self.0.lock().unwrap();
        match all.iter().find(|(l, _)| l == live) {
            Some((_, Some(fake))) => Ok(fake.clone()),
            _ => Err(RunError::new("E0716", "the model package is damaged")),
        }
    }
}

pub fn shelf(version: u64) -> Arc<Versions> {
    let live = Live { model: "wants".into(), version };
    Arc::new(Versions(Mutex::new(vec![(live, Some(Fake::version(version)))])))
}

pub fn options() -> Options {
    Options { look: Duration::from_millis(10), ..Options::loopback() }
}

pub fn serve() -> Server {
    start(shelf(1), options()).unwrap()
}

pub fn with_limits(limits: Limits) -> Server {
    start(shelf(1), Options { limits, ..options() }).unwrap()
}

pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends bytes as they are and reads one answer; `None`: the connection was closed without one.
pub fn raw(server: &Server, bytes: &[u8]) -> Option<Reply> {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The server may have answered and closed before it has all.
    let _ = stream.write_all(bytes);
    read(&mut stream)
}

pub fn read(stream: &mut TcpStream) -> Option<Reply> {
    let (mut all, mut byte) = (Vec::new(), [0; 1]);
    while !all.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return None;
        }
        all.push(byte[0]);
    }
    let head = String::from_utf8(all).unwrap().to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Reply { status, head, body })
}

pub fn send(server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n", body.len()).into_bytes();
    for (name, value) in headers {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    raw(server, &bytes).expect("an answer")
}

pub fn post(server: &Server, path: &str, body: impl AsRef<[u8]>) -> Reply {
    send(server, "POST", path, &[("Content-Type", "application/json")], body.as_ref())
}

pub fn get(server: &Server, path: &str) -> Reply {
    send(server, "GET", path, &[], b"")
}

pub fn row(count: i64) -> Value {
    json!({
        "count": count, "maybe": null, "big": 9_007_199_254_740_993_i64, "ratio": 0.5, "sure": true, "code": "001",
        "day": "2024-01-31", "at": "2024-01-31T09:30:00Z", "price": "12.50", "size": "M", "kind": "x", "shop": 1,
        "town": "Ulm", "A, B & C": 1.5
    })
}

/// A row with another value of one field; `None`: without it.
pub fn with(field: &str, value: Option<Value>) -> Value {
    let mut row = row(10);
    match value {
        Some(value) => row[field] = value,
        None => drop(row.as_object_mut().unwrap().remove(field)),
    }
    row
}
