//! What went wrong at an object store, in words that say what to do. Answers of stores repeat keys and signatures, and URLs
//! may hold passwords: of an answer only its code is shown, of an endpoint only host and port.

use std::error::Error as StdError;

use dbjob_plan::RunError;
use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

use super::Store;

/// What was asked for when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    List,
    Read,
    Write,
}

impl Asked {
    fn verb(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

const DENIED: &str = "AccessDenied";

/// Whether the store says no more than that it is not allowed.
pub(super) fn is_denied(error: &Error) -> bool {
    code(&said(error)) == Some(DENIED)
}

/// Whether the store did answer.
pub(super) fn is_answer(error: &Error) -> bool {
    kind(error).is_none()
}

/// Errors: E0740 to E0743.
pub(super) fn failed(error: &Error, store: &Store, key: &str, asked: Asked) -> RunError {
    let url = store.url(key);
    let verb = asked.verb();
    let said = said(error);
    let run = |code: &str, message: String| RunError::new(code, message).data(store.at(key));
    let code = code(&said);
    match (code, error) {
        (Some("NoSuchBucket"), _) => run("E0742", format!("there is no bucket `{}`", store.bucket))
            .help("look at its name, and at the endpoint (AWS_ENDPOINT_URL)"),
        (Some("PreconditionFailed"), _) | (_, Error::Precondition { .. }) => changed(store, key),
        (Some("InvalidAccessKeyId"), _) => {
            run("E0741", format!("{} does not know the access key", host())).help("look at AWS_ACCESS_KEY_ID")
        }
        (Some("SignatureDoesNotMatch"), _) => run("E0741", format!("{} does not accept the secret key", host()))
            .help("look at AWS_SECRET_ACCESS_KEY: it does not belong to AWS_ACCESS_KEY_ID"),
        (Some("ExpiredToken" | "InvalidToken" | "TokenRefreshRequired"), _) => {
            run("E0741", format!("{} does not accept the session token", host()))
                .help("get a new one: AWS_SESSION_TOKEN, with the keys that belong to it")
        }
        (Some("RequestTimeTooSkewed"), _) => {
            run("E0741", format!("the clock of {} is another one", host())).help("set the clock of this machine right")
        }
        (Some("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException"), _) => {
            other_region(store, key)
        }
        (_, Error::NotFound { .. }) if asked == Asked::Read => {
            run("E0743", format!("{url} is gone: it was there a moment ago")).help("run it again")
        }
        (_, Error::NotFound { .. }) => run("E0742", format!("there is no {url}")),
        (Some(DENIED | "AllAccessDisabled" | "AccountProblem"), _)
        | (_, Error::PermissionDenied { .. } | Error::Unauthenticated { .. }) => {
            run("E0741", format!("{} does not let us {verb} {url}: access denied", host()))
                .help("look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and at what they are allowed to")
        }
        _ if no_credentials(&said) => run("E0741", "there are no credentials for the object store".into())
            .help("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for a public bucket"),
        _ if said.contains("without LOCATION") => other_region(store, key),
        _ => match kind(error) {
            Some(HttpErrorKind::Connect) => run("E0740", format!("cannot connect to {}", host()))
                .help("look at AWS_ENDPOINT_URL, and whether the server runs"),
            Some(HttpErrorKind::Timeout) => run("E0740", format!("{} does not answer in time", host()))
                .help("look at AWS_ENDPOINT_URL and the network, or try again"),
            _ if said.contains("scheme is not allowed") || said.contains("URL scheme") => {
                run("E0740", format!("{} is reached without encryption", host()))
                    .help("if that is meant, set AWS_ALLOW_HTTP=true")
            }
            _ => {
                let why = code.map(str::to_owned).or_else(|| status(&said)).unwrap_or_else(|| "no answer".into());
                run("E0740", format!("cannot {verb} {url}: {} answered {why}", host()))
                    .help("try again; look at AWS_ENDPOINT_URL if it stays so")
            }
        },
    }
}

/// An object that is not the one that was listed.
pub(super) fn changed(store: &Store, key: &str) -> RunError {
    RunError::new("E0743", format!("{} changed while it was read", store.url(key)))
        .help("run it again when nobody writes to it")
        .data(store.at(key))
}

fn other_region(store: &Store, key: &str) -> RunError {
    RunError::new("E0740", format!("the bucket `{}` is in another region", store.bucket))
        .help("set AWS_REGION to the region of the bucket")
        .data(store.at(key))
}

/// What is wrong with the environment variables themselves.
pub(super) fn settings(error: &Error) -> RunError {
    let said = said(error);
    let missing = |name: &str| {
        RunError::new("E0741", format!("{name} is not set, and the other half of the credentials is"))
            .help("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    };
    if said.contains("Missing AccessKeyId") {
        missing("AWS_ACCESS_KEY_ID")
    } else if said.contains("Missing SecretAccessKey") {
        missing("AWS_SECRET_ACCESS_KEY")
    } else {
        RunError::new("E0740", "the AWS_* environment variables do not say how to reach an object store")
            .help("look at AWS_ENDPOINT_URL, AWS_REGION and AWS_ALLOW_HTTP")
    }
}

/// The error and all that it stems from.
fn chain(error: &Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let mut next = Some(error as &(dyn StdError + 'static));
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}

/// Its whole text. For a look only: it holds what must not be shown.
fn said(error: &Error) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn kind(error: &Error) -> Option<HttpErrorKind> {
    chain(error).find_map(|e| e.downcast_ref::<HttpError>()).map(HttpError::kind)
}

/// `<Code>` of the store's answer.
fn code(said: &str) -> Option<&str> {
    let (_, rest) = said.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    code.chars().all(|c| c.is_ascii_alphanumeric()).then_some(code)
}

/// The status of the answer: `503 Service Unavailable`.
fn status(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("status code: ")?;
    let text = rest.split([':', '\n']).next()?.trim();
    text.starts_with(|c: char| c.is_ascii_digit()).then(|| text.to_owned())
}

/// Without keys the client asks the machine that it runs on, if that is one of the cloud.
fn no_credentials(said: &str) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    let asks = ["latest/api/token", "latest/meta-data", "169.254.169.254"].iter().any(|part| said.contains(part));
    asks && !set("AWS_ACCESS_KEY_ID")
}

/// Host and port of the store.
fn host() -> String {
    let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let url = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"].into_iter().find_map(set);
    match url {
        Some(url) => bare(&url).to_owned(),
        None => "the object store of AWS".into(),
    }
}

/// Without the scheme, a user and a path.
fn bare(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host.rsplit_once('@').map_or(host, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_of_an_endpoint_is_shown() {
        for (url, host) in [
            ("http://127.0.0.1:9000", "127.0.0.1:9000"),
            ("https://me:secret@store.example/path?key=1", "store.example"),
            ("store.example", "store.example"),
        ] {
            assert_eq!(bare(url), host);
        }
    }

    #[test]
    fn answers_are_known_by_their_code() {
        let said = "Server returned non-2xx status code: 403 Forbidden: <Error><Code>InvalidAccessKeyId</Code>\
                    <AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>";
        assert_eq!(code(said), Some("InvalidAccessKeyId"));
        assert_eq!(status(said).as_deref(), Some("403 Forbidden"));
        assert_eq!((code("<Code>a b</Code>"), status("no status")), (None, None));
    }
}
