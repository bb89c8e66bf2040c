//! The HTTP server: a handful of paths, GET and HEAD, nothing that changes anything.

use std::{convert::Infallible, net::TcpListener, sync::Arc, thread, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use report::html;
use tokio::sync::Semaphore;

use super::Shared;
use crate::watch::metrics;

/// Connections at a time; others wait.
const CONNECTIONS: usize = 128;
/// A client that does not say what it wants for so long is let go.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers on a thread of its own.
pub fn start(listener: TcpListener, shared: Arc<Shared>) -> crate::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _within = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    thread::spawn(move || runtime.block_on(serve(listener, shared)));
    Ok(())
}

async fn serve(listener: tokio::net::TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files, say: again in a moment.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let answer = service_fn(|request| {
                let answer = answer(&shared, &request);
                async { Ok::<_, Infallible>(answer) }
            });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(16 << 10);
            let _ = server.serve_connection(TokioIo::new(stream), answer).await;
            drop(place);
        });
    }
}

fn answer(shared: &Shared, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET: the monitor is read-only\n".into());
    }
    let file = |kind, content: &'static str| reply(StatusCode::OK, kind, Bytes::from_static(content.as_bytes()));
    match request.uri().path() {
        "/" => file("text/html; charset=utf-8", include_str!("page.html")),
        "/report.css" => file("text/css; charset=utf-8", html::STYLE),
        "/monitor.css" => file("text/css; charset=utf-8", include_str!("page.css")),
        "/monitor.js" => file("text/javascript; charset=utf-8", include_str!("page.js")),
        "/api/status" => of_look(shared, "application/json", |answers| answers.status.clone()),
        "/charts" => of_look(shared, "text/html; charset=utf-8", |answers| answers.charts.clone()),
        "/metrics" => of_look(shared, metrics::MEDIA_TYPE, |answers| answers.metrics.clone()),
        "/healthz" => health(shared),
        _ => text(StatusCode::NOT_FOUND, "available: /, /api/status, /charts, /metrics and /healthz\n".into()),
    }
}

/// What the last look found; there may have been none.
fn of_look(shared: &Shared, kind: &'static str, part: impl Fn(&super::Answers) -> Bytes) -> Response<Full<Bytes>> {
    let answers = shared.answers();
    match answers.looked {
        Some(_) => reply(StatusCode::OK, kind, part(&answers)),
        None => health(shared),
    }
}

/// Whether the store has answered lately.
fn health(shared: &Shared) -> Response<Full<Bytes>> {
    let answers = shared.answers();
    let late = 3 * shared.interval + Duration::from_secs(60);
    match (answers.trouble, answers.looked) {
        (None, Some(looked)) if looked.elapsed() < late => text(StatusCode::OK, "ok\n".into()),
        (Some(trouble), _) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n")),
        (None, Some(_)) => text(StatusCode::SERVICE_UNAVAILABLE, "the store has not answered for a while\n".into()),
        (None, None) => text(StatusCode::SERVICE_UNAVAILABLE, "the store has not answered yet\n".into()),
    }
}

fn text(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    reply(status, "text/plain; charset=utf-8", text.into())
}

fn reply(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; img-src data:; style-src 'self'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}
