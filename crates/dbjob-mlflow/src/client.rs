use std::time::Duration;

use dbjob_plan::RunError;
use serde_json::Value as Json;
use ureq::Agent;
use ureq::http::Response;

/// So long a file may take in addition to the time of a request, for each MiB.
const PER_MIB: Duration = Duration::from_secs(2);

/// So much of what a server says to an error is told.
const SAID: usize = 300;

/// A tracking server.
pub struct Server {
    agent: Agent,
    base: String,
    /// How it is called in messages: without a password, or by the name of the secret that holds its URL.
    shown: String,
    token: Option<String>,
    timeout: Duration,
}

impl Server {
    /// `url` may hold a user and a password; `token` is sent as a bearer token. `shown`: how it is called.
    pub fn new(url: &str, shown: &str, token: Option<String>, timeout: Duration) -> Self {
        let agent = Agent::config_builder()
            .timeout_connect(Some(timeout.min(Duration::from_secs(10))))
            .http_status_as_error(false)
            .user_agent(concat!("dbjob/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { agent, base: url.trim_end_matches('/').to_owned(), shown: shown.to_owned(), token, timeout }
    }

    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The answer to a question, or `None` if there is no such thing.
    ///
    /// Errors: E0773, E0774.
    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Json>, RunError> {
        let mut request = self.agent.get(self.api(path)).query_pairs(query.iter().copied());
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let answer = request.config().timeout_global(Some(self.timeout)).build().call();
        let (status, text) = self.read(path, answer)?;
        if status == 404 && error_code(&text).as_deref() == Some("RESOURCE_DOES_NOT_EXIST") {
            return Ok(None);
        }
        self.json(path, status, &text).map(Some)
    }

    /// Errors: E0773, E0774.
    pub(crate) fn post(&self, path: &str, body: &Json) -> Result<Json, RunError> {
        let (status, text) = self.send(path, body)?;
        self.json(path, status, &text)
    }

    /// The same; `None` if there is already what was to be made.
    pub(crate) fn create(&self, path: &str, body: &Json) -> Result<Option<Json>, RunError> {
        let (status, text) = self.send(path, body)?;
        if status >= 400 && error_code(&text).as_deref() == Some("RESOURCE_ALREADY_EXISTS") {
            return Ok(None);
        }
        self.json(path, status, &text).map(Some)
    }

    /// Puts a file where the server keeps those of its runs.
    ///
    /// Errors: E0773, E0774.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) -> Result<(), RunError> {
        let url = format!("{}/api/2.0/mlflow-artifacts/artifacts/{}", self.base, encoded(path));
        let mut request = self.agent.put(url).header("Content-Type", "application/octet-stream");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let patience = self.timeout + PER_MIB * u32::try_from(bytes.len() >> 20).unwrap_or(u32::MAX);
        let answer = request.config().timeout_global(Some(patience)).build().send(bytes);
        let (status, text) = self.read(path, answer)?;
        match status {
            200..300 => Ok(()),
            404 | 405 | 501 | 503 => Err(self.refuses(path, status, &text).help(
                "files go through the server: start it with `--serve-artifacts` (the default of `mlflow server`)",
            )),
            _ => Err(self.refuses(path, status, &text)),
        }
    }

    fn api(&self, path: &str) -> String {
        format!("{}/api/2.0/mlflow/{path}", self.base)
    }

    fn send(&self, path: &str, body: &Json) -> Result<(u16, String), RunError> {
        let mut request = self.agent.post(self.api(path)).header("Content-Type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let answer = request.config().timeout_global(Some(self.timeout)).build().send(body.to_string());
        self.read(path, answer)
    }

    fn read(&self, path: &str, answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<(u16, String), RunError> {
        let unreachable = |why: String| {
            RunError::new("E0773", format!("the MLflow server at {} cannot be reached ({path}): {why}", self.shown))
                .help("start it (`mlflow server`), or put the right URL into `to mlflow(…)`")
        };
        let mut answer = answer.map_err(|e| unreachable(e.to_string()))?;
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string();
        Ok((answer.status().as_u16(), text.map_err(|e| unreachable(e.to_string()))?))
    }

    fn json(&self, path: &str, status: u16, text: &str) -> Result<Json, RunError> {
        if !(200..300).contains(&status) {
            return Err(self.refuses(path, status, text));
        }
        serde_json::from_str(text).map_err(|_| {
            let message = format!("{} does not answer like an MLflow server ({path}): {}", self.shown, brief(text));
            RunError::new("E0774", message).help("give the URL of the tracking server, as `mlflow server` prints it")
        })
    }

    fn refuses(&self, path: &str, status: u16, text: &str) -> RunError {
        let why = serde_json::from_str::<Json>(text).ok().and_then(|e| e.get("message")?.as_str().map(str::to_owned));
        let why = brief(why.as_deref().unwrap_or(text));
        let message = format!("the MLflow server at {} refuses {path} ({status}): {why}", self.shown);
        let error = RunError::new("E0774", message);
        match status {
            401 | 403 => error.help("give what it wants to see: `token = secret(\"NAME\")`, or a user in the URL"),
            404 => error.help("give the URL of the tracking server, as `mlflow server` prints it"),
            _ => error.help("the server's own log says more"),
        }
    }
}

fn error_code(text: &str) -> Option<String> {
    let error: Json = serde_json::from_str(text).ok()?;
    error.get("error_code")?.as_str().map(str::to_owned)
}

fn brief(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = text.chars().take(SAID).collect();
    if short.len() < text.len() { short + "…" } else { short }
}

/// A path of names, percent-encoded but for `/`.
fn encoded(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
