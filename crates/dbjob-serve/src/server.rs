//! The server itself: connections and their limits, the look at the shelf, the end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio_rustls::TlsAcceptor;

use crate::http;
use crate::log::Happened;
use crate::options::Options;
use crate::patient::Patient;
use crate::scorer::Shelf;
use crate::state::State;
use crate::tls::acceptor;

/// A server that runs. It stops when it is dropped.
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    stop: Arc<Notify>,
    stopped: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// Opens what is live on the shelf, and answers from then on.
///
/// Errors, in words: no port, a certificate that is not right, or not one of the models can be opened.
pub fn start(shelf: Arc<dyn Shelf>, options: Options) -> Result<Server, String> {
    let tls = options.tls.as_ref().map(acceptor).transpose()?;
    let bind = options.bind;
    let listener = TcpListener::bind(bind).map_err(|e| format!("cannot listen on {bind}: {e}"))?;
    listener.set_nonblocking(true).map_err(|e| e.to_string())?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let state = Arc::new(State::new(shelf, options));
    let failed = state.look();
    if let Some((_, why)) = failed.first()
        && state.models().by_name.is_empty()
    {
        return Err(why.clone());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("http")
        .enable_all()
        .build()
        .map_err(|e| format!("cannot start threads: {e}"))?;
    let (stop, stopped) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let mut server = Server { address, state, stop, stopped, threads: Vec::new() };
    let (state, stop) = (server.state.clone(), server.stop.clone());
    server.spawn("serve", move || {
        runtime.block_on(accept(listener, tls, state, &stop));
        runtime.shutdown_timeout(Duration::from_secs(1));
    })?;
    let (state, stopped) = (server.state.clone(), server.stopped.clone());
    server.spawn("look", move || {
        while !stopped.load(Ordering::Relaxed) {
            std::thread::park_timeout(state.options.look);
            state.look();
        }
    })?;
    Ok(server)
}

impl Server {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The models and versions that are live.
    pub fn models(&self) -> Vec<(String, u64)> {
        self.state.models().by_name.values().map(|m| (m.name().to_owned(), m.manifest().version)).collect()
    }

    /// Takes no more requests, answers those that are there, and ends.
    pub fn stop(mut self) {
        self.end();
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
        self.threads.push(thread.map_err(|e| format!("cannot start threads: {e}"))?);
        Ok(())
    }

    fn end(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.stop.notify_one();
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            let _ = thread.join();
        }
        self.state.log.close();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>, stop: &Notify) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(e) => {
            let message = &e.to_string();
            return state.log.line(&Happened { event: "failed", model: None, version: None, message });
        }
    };
    let router = http::router(state.clone());
    let places = Arc::new(Semaphore::new(state.options.limits.connections));
    let graceful = Arc::new(GracefulShutdown::new());
    loop {
        let accepted = tokio::select! {
            () = stop.notified() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // The system has no more files; it may have again.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            state.metrics.refused_connections.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(turn_away(stream, tls.is_some()));
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (state, router, tls, watcher) = (state.clone(), router.clone(), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            state.metrics.connections.fetch_add(1, Ordering::Relaxed);
            let head = state.options.limits.head;
            match tls {
                None => converse(stream, state.clone(), router, watcher).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(head, tls.accept(stream)).await {
                        converse(stream, state.clone(), router, watcher).await;
                    }
                }
            }
            state.metrics.connections.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        });
    }
    drop(listener);
    if let Some(graceful) = Arc::into_inner(graceful) {
        // Who is slower than a request may be is not waited for.
        let _ = tokio::time::timeout(state.options.limits.time, graceful.shutdown()).await;
    }
}

/// One connection, request by request.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    state: Arc<State>,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let limits = state.options.limits;
    let io = TokioIo::new(Patient::new(stream, limits.time));
    let service = service_fn(move |request| http::answer(state.clone(), router.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Who has sent his request may close his side and still be answered; nothing is read before that.
        .half_close(true)
        .header_read_timeout(limits.head)
        .max_buf_size(64 << 10)
        .serve_connection(io, service);
    // Whoever hangs up is not told that he did.
    let _ = watcher.watch(connection).await;
}

/// One connection too many.
async fn turn_away(mut stream: TcpStream, silent: bool) {
    if !silent {
        let text =
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(text.as_bytes())).await;
    }
    let _ = tokio::time::timeout(Duration::from_secs(1), stream.shutdown()).await;
}
