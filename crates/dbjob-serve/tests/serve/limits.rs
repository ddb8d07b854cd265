use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use dbjob_serve::{Limits, Options, start};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{get, options, post, raw, read, row, send, serve, shelf, with_limits};

fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const GZIP: [(&str, &str); 2] = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")];

#[test]
fn bodies_are_unpacked_within_the_limit() {
    let server = with_limits(Limits { body: 100_000, ..Limits::default() });
    let reply = send(&server, "POST", "/predict", &GZIP, &zip(row(100).to_string().as_bytes()));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let bomb = zip(&vec![b' '; 50_000_000]);
    assert!(bomb.len() < 100_000);
    assert_eq!(send(&server, "POST", "/predict", &GZIP, &bomb).status, 413);
    assert_eq!(send(&server, "POST", "/predict", &GZIP, b"no gzip").status, 400);
    assert_eq!(send(&server, "POST", "/predict", &[("Content-Encoding", "br")], b"x").status, 415);
    let large = vec![b' '; 100_001];
    assert_eq!(post(&server, "/predict", &large).status, 413);
    let chunked = "POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n186A1\r\n";
    let reply = raw(&server, &[chunked.as_bytes(), &large, b"\r\n0\r\n\r\n"].concat());
    assert!(reply.is_none_or(|r| r.status == 413));
    assert_eq!(post(&server, "/predict", row(1).to_string()).status, 200);
}

#[test]
fn rows_are_limited() {
    let server = with_limits(Limits { rows: 2, ..Limits::default() });
    let list = |n: usize| format!("[{}]", vec![row(1).to_string(); n].join(","));
    assert_eq!(post(&server, "/predict", list(2)).status, 200);
    let reply = post(&server, "/predict", list(3));
    assert_eq!(reply.status, 413);
    assert_eq!(reply.json()["detail"], "a request may have 2 rows at most");
}

#[test]
fn deep_and_broken_json_is_refused() {
    let server = serve();
    let cases: [(Vec<u8>, u16); 8] = [
        (b"[".repeat(100_000), 400),
        (b"{\"count\":".repeat(100_000), 400),
        (row(1).to_string().into_bytes()[..50].to_vec(), 400),
        (b"".to_vec(), 400),
        (b"\xff\xfe{\0}\0".to_vec(), 400),
        (b"{\"code\": \"\xff\"}".to_vec(), 400),
        (b"\"text\"".to_vec(), 422),
        (format!("{} x", row(1)).into_bytes(), 400),
    ];
    for (body, status) in cases {
        let reply = post(&server, "/predict", &body);
        assert_eq!(
            reply.status,
            status,
            "{:?}: {}",
            String::from_utf8_lossy(&body[..body.len().min(40)]),
            reply.text()
        );
    }
    let latin = [("Content-Type", "application/json; charset=iso-8859-1")];
    assert_eq!(send(&server, "POST", "/predict", &latin, b"{}").status, 415);
}

#[test]
fn many_unknown_fields_are_not_all_told() {
    let server = serve();
    let members: Vec<String> = (0..100_000).map(|i| format!("\"f{i}\":0")).collect();
    let reply = post(&server, "/predict", format!("{{{}}}", members.join(",")));
    assert_eq!(reply.status, 422);
    assert!(reply.body.len() < 30_000, "{}", reply.body.len());
}

#[test]
fn the_token_is_wanted() {
    let server = start(shelf(1), Options { token: Some("s3cret".into()), ..options() }).unwrap();
    let status = |shown: &str| send(&server, "GET", "/version", &[("Authorization", shown)], b"").status;
    assert_eq!(status("Bearer s3cret"), 200);
    for wrong in ["Bearer s3cre", "Bearer s3cret2", "Bearer ", "s3cret", "Basic s3cret", ""] {
        assert_eq!(status(wrong), 401, "{wrong}");
    }
    assert_eq!(get(&server, "/health").status, 200);
    assert_eq!(get(&server, "/docs").status, 200);
    assert_eq!(post(&server, "/predict", row(1).to_string()).status, 401);
    assert_eq!(get(&server, "/openapi.json").status, 401);
}

#[test]
fn slow_callers_are_left() {
    let server = with_limits(Limits { head: Duration::from_millis(300), ..Limits::default() });
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"POST /predict HTTP/1.1\r\nHost").unwrap();
    let reply = read(&mut stream);
    assert!(reply.is_none_or(|r| r.status == 408));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn connections_are_limited() {
    let server = with_limits(Limits { connections: 2, ..Limits::default() });
    let open = || {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let status = read(&mut stream).map(|r| r.status);
        (stream, status)
    };
    let (first, second) = (open(), open());
    assert_eq!((first.1, second.1), (Some(200), Some(200)));
    assert_ne!(open().1, Some(200));
    drop((first, second));
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(open().1, Some(200));
}
