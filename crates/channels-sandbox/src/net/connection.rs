//! One accepted connection: TLS, HTTP, and the socket that it may become.

use std::{future::pending, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsAcceptor;

use super::{
    http_connection::HttpConnection,
    stop::Stop,
    wire::{Stream, Wire},
};

/// How new connections are received.
#[derive(Clone)]
pub(crate) struct Reception {
    pub(crate) routes: Router,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) stop: Stop,
    /// Whether responses have a `Date`.
    pub(crate) sends_dates: bool,
    /// The maximum size of a request head in bytes; `None` is the HTTP library's limit.
    pub(crate) max_head_bytes: Option<usize>,
    /// Whether they are accepted and never read.
    pub(crate) is_silent: bool,
}

/// Serves a connection until it ends or the server stops. A socket lives on the same task.
pub(crate) async fn serve(tcp: TcpStream, reception: Arc<Reception>) {
    let mut stopping = reception.stop.listen();
    let stream = tokio::select! {
        stream = secure(tcp, &reception) => stream,
        () = stopping.asked() => None,
    };
    let Some(stream) = stream else { return };
    let http = Arc::new(HttpConnection::default());
    serve_http(Wire::new(stream, Arc::clone(&http)), &http, &reception).await;
    if let Some(sequel) = http.take_sequel() {
        sequel.await;
    }
}

async fn serve_http(wire: Wire, http: &Arc<HttpConnection>, reception: &Reception) {
    let router = TowerToHyperService::new(reception.routes.clone());
    let of_request = Arc::clone(http);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&of_request));
        hyper::service::Service::call(&router, request)
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).auto_date_header(reception.sends_dates);
    if let Some(bytes) = reception.max_head_bytes {
        server.max_buf_size(bytes);
    }
    let connection = server.serve_connection(TokioIo::new(wire), service).with_upgrades();
    let mut connection = pin!(connection);
    let mut stopping = reception.stop.listen();
    tokio::select! {
        result = connection.as_mut() => return log(result),
        () = http.aborted() => return,
        () = stopping.asked() => connection.as_mut().graceful_shutdown(),
    }
    if let Ok(result) = timeout(REQUEST_PATIENCE, connection).await {
        log(result);
    }
}

async fn secure(tcp: TcpStream, reception: &Reception) -> Option<Stream> {
    if reception.is_silent {
        // Never read, never answered.
        let _kept_open = tcp;
        return pending().await;
    }
    let Some(acceptor) = &reception.tls else { return Some(Stream::Plain(tcp)) };
    match timeout(TLS_PATIENCE, acceptor.accept(tcp)).await {
        Ok(Ok(tls)) => return Some(Stream::Tls(Box::new(tls))),
        Ok(Err(error)) => tracing::debug!(%error, "the TLS handshake failed"),
        Err(_) => tracing::debug!("the TLS handshake took too long"),
    }
    None
}

fn log(result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}

const TLS_PATIENCE: Duration = Duration::from_secs(10);
/// How long a request that is being answered may delay a stop.
const REQUEST_PATIENCE: Duration = Duration::from_secs(1);
