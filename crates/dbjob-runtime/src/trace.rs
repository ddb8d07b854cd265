//! A run as an OpenTelemetry trace: a span for the run and one for each item below it, sent as OTLP over HTTP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use dbjob_plan::{Event, ItemKind, RunError};
use http::{Request, Response};
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};

use crate::story::title;

/// So long a collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Turns the events of a run into spans.
pub struct Trace {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    open: Mutex<Open>,
    failed: Failed,
}

/// Why something was not sent, the last time.
type Failed = Arc<Mutex<Option<String>>>;

/// The spans that are under way.
#[derive(Default)]
struct Open {
    run: Option<Context>,
    items: HashMap<(ItemKind, String), Span>,
}

impl Trace {
    /// To a collector at `endpoint`, `http://localhost:4318`; the path `/v1/traces` is added where there is none.
    ///
    /// Errors: E0755 when it is no such address. Whether anybody listens is seen at the end.
    pub fn to(endpoint: &str, version: &str) -> Result<Self, RunError> {
        let wrong = |why: String| {
            RunError::new("E0755", format!("no traces can be sent to {endpoint:?}: {why}")).help(
                "write the address of an OpenTelemetry collector that takes OTLP over HTTP: http://localhost:4318",
            )
        };
        let address: http::Uri = endpoint.parse().map_err(|e: http::uri::InvalidUri| wrong(e.to_string()))?;
        if !matches!(address.scheme_str(), Some("http" | "https")) || address.host().is_none() {
            return Err(wrong("it is no http address".into()));
        }
        let endpoint = match address.path() {
            "" | "/" => format!("{}/v1/traces", endpoint.trim_end_matches('/')),
            _ => endpoint.to_owned(),
        };
        let failed = Failed::default();
        let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().new_agent();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_http_client(Client { agent, failed: Arc::clone(&failed) })
            .with_endpoint(endpoint)
            .with_timeout(PATIENCE)
            .build()
            .map_err(|e| wrong(e.to_string()))?;
        let resource = Resource::builder()
            .with_service_name("dbjob")
            .with_attribute(KeyValue::new("service.version", version.to_owned()))
            .build();
        // Sent from a thread of its own, so that a slow collector slows no run.
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        let tracer = provider.tracer("dbjob");
        Ok(Self { provider, tracer, open: Mutex::default(), failed })
    }

    pub fn see(&self, event: &Event) {
        let mut open = self.open();
        match event {
            Event::RunStarted { job, threads, .. } => {
                let attributes =
                    [KeyValue::new("dbjob.job", job.clone()), KeyValue::new("dbjob.threads", *threads as i64)];
                let span =
                    self.tracer.span_builder(format!("run {job}")).with_attributes(attributes).start(&self.tracer);
                open.run = Some(Context::new().with_span(span));
            }
            Event::ItemStarted { item, kind } => {
                let span = self.item(&open, *kind, item);
                open.items.insert((*kind, item.clone()), span);
            }
            Event::ItemFinished { item, kind, rows, .. } => {
                if let Some(mut span) = open.items.remove(&(*kind, item.clone())) {
                    span.set_attributes(rows.map(|n| KeyValue::new("dbjob.rows", n as i64)));
                    span.set_attribute(KeyValue::new("dbjob.reused", false));
                    span.end();
                }
            }
            Event::ItemReused { item, kind, rows, .. } => {
                let mut span = self.item(&open, *kind, item);
                span.set_attributes(rows.map(|n| KeyValue::new("dbjob.rows", n as i64)));
                span.set_attribute(KeyValue::new("dbjob.reused", true));
                span.end();
            }
            Event::Expected { item, rule, failed, action, .. } => {
                let what = vec![
                    KeyValue::new("dbjob.rule", rule.clone()),
                    KeyValue::new("dbjob.failed", *failed as i64),
                    KeyValue::new("dbjob.action", action.clone()),
                ];
                open.tell(item, "expect", what);
            }
            Event::Warning { item, message } => {
                open.tell(item, "warning", vec![KeyValue::new("message", message.clone())]);
            }
            Event::Retried { item, attempt, message, .. } => {
                let what = vec![
                    KeyValue::new("message", message.clone()),
                    KeyValue::new("dbjob.attempt", i64::from(*attempt)),
                ];
                open.tell(item, "retry", what);
            }
            Event::Evaluated { item, metrics, .. } => {
                let metrics = metrics.iter().map(|(name, m)| KeyValue::new(format!("dbjob.metric.{name}"), m.value));
                open.tell(item, "evaluated", metrics.collect());
            }
            Event::RunFinished { ok, .. } => {
                let status = if *ok { Status::Ok } else { Status::error("the run did not succeed") };
                for (_, mut span) in open.items.drain() {
                    span.set_status(Status::error("it did not come to its end"));
                    span.end();
                }
                if let Some(run) = open.run.take() {
                    run.span().set_status(status);
                    run.span().end();
                }
            }
            _ => {}
        }
    }

    /// Sends what is left. Errors: in words, when the collector did not take it.
    pub fn end(self) -> Result<(), String> {
        self.provider.shutdown_with_timeout(PATIENCE).map_err(|e| e.to_string())?;
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn item(&self, open: &Open, kind: ItemKind, item: &str) -> Span {
        let attributes = [KeyValue::new("dbjob.item", item.to_owned()), KeyValue::new("dbjob.kind", kind.word())];
        let builder =
            self.tracer.span_builder(title(kind, item)).with_kind(SpanKind::Internal).with_attributes(attributes);
        match &open.run {
            Some(run) => builder.start_with_context(&self.tracer, run),
            None => builder.start(&self.tracer),
        }
    }
}

impl Open {
    /// An event of an item's span; of one that has none, of the run.
    fn tell(&mut self, item: &str, name: &'static str, what: Vec<KeyValue>) {
        match self.items.iter_mut().find(|((_, name), _)| name == item) {
            Some((_, span)) => span.add_event(name, what),
            None => {
                if let Some(run) = &self.run {
                    run.span().add_event(name, what);
                }
            }
        }
    }
}

/// Sends a request and waits for the answer.
#[derive(Debug)]
struct Client {
    agent: ureq::Agent,
    failed: Failed,
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let answer = self.agent.run(Request::from_parts(head, body.to_vec())).inspect_err(|e| {
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(e.to_string());
        })?;
        let (head, mut body) = answer.into_parts();
        Ok(Response::from_parts(head, Bytes::from(body.read_to_vec()?)))
    }
}
