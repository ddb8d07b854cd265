use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How a server is to be.
#[derive(Debug, Clone)]
pub struct Options {
    pub bind: SocketAddr,
    /// What callers must show as a bearer token.
    pub token: Option<String>,
    pub tls: Option<Tls>,
    /// Threads that score, for each model.
    pub replicas: usize,
    pub limits: Limits,
    /// A line on standard error for each request.
    pub log: bool,
    /// How often the shelf is looked at for other versions.
    pub look: Duration,
    /// The name of the OpenAPI document.
    pub title: String,
}

/// Files in PEM.
#[derive(Debug, Clone)]
pub struct Tls {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// What a caller may ask for.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of a body, also unpacked.
    pub body: usize,
    /// Of a request.
    pub rows: usize,
    /// From the last byte of a head to the last byte of the answer's head.
    pub time: Duration,
    /// For the head of a request, from when the connection is ready for one.
    pub head: Duration,
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 16 << 20,
            rows: 10_000,
            time: Duration::from_secs(30),
            head: Duration::from_secs(10),
            connections: 1024,
        }
    }
}

impl Options {
    /// On a port of this machine that nobody else has, without a log.
    pub fn loopback() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            token: None,
            tls: None,
            replicas: 1,
            limits: Limits::default(),
            log: false,
            look: Duration::from_millis(200),
            title: "dbjob".to_owned(),
        }
    }
}
