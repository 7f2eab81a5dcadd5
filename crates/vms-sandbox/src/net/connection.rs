//! One accepted connection: TLS, HTTP, and the socket that it may become.

use std::{future::pending, pin::pin, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{net::TcpStream, sync::watch, time::timeout};

use super::wire::{Link, Stream, Wire};
use crate::world::World;

/// Serves a connection until it ends or the sandbox stops. A socket lives on the same task.
pub(crate) async fn serve(tcp: TcpStream, world: Arc<World>) {
    let mut stop = world.stopping();
    let stream = tokio::select! {
        stream = secure(tcp, &world) => stream,
        () = stopped(&mut stop) => None,
    };
    let Some(stream) = stream else { return };
    let link = Arc::new(Link::default());
    serve_http(Wire::new(stream, Arc::clone(&link)), &link, &world).await;
    if let Some(upgrade) = link.take_pending() {
        upgrade.carry_out(world).await;
    }
}

async fn serve_http(wire: Wire, link: &Arc<Link>, world: &Arc<World>) {
    let router = TowerToHyperService::new(crate::rest::router(world));
    let request_link = Arc::clone(link);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&request_link));
        hyper::service::Service::call(&router, request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).auto_date_header(world.sends_dates());
    if let Some(bytes) = world.max_head_bytes() {
        http.max_buf_size(bytes);
    }
    let connection = http.serve_connection(TokioIo::new(wire), service).with_upgrades();
    let mut connection = pin!(connection);
    let mut stop = world.stopping();
    tokio::select! {
        result = connection.as_mut() => return log(result),
        () = link.dropping() => return,
        () = stopped(&mut stop) => connection.as_mut().graceful_shutdown(),
    }
    if let Ok(result) = timeout(REQUEST_PATIENCE, connection).await {
        log(result);
    }
}

async fn secure(tcp: TcpStream, world: &World) -> Option<Stream> {
    if world.is_silent() {
        // Never read, never answered.
        let _kept_open = tcp;
        return pending().await;
    }
    let Some(acceptor) = &world.tls else { return Some(Stream::Plain(tcp)) };
    match timeout(TLS_PATIENCE, acceptor.accept(tcp)).await {
        Ok(Ok(tls)) => return Some(Stream::Tls(Box::new(tls))),
        Ok(Err(error)) => tracing::debug!(%error, "the TLS handshake failed"),
        Err(_) => tracing::debug!("the TLS handshake took too long"),
    }
    None
}

/// Ends when the sandbox is to stop.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stopping| *stopping).await;
}

fn log(result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}

const TLS_PATIENCE: Duration = Duration::from_secs(10);
/// How long a request that is being answered may hold up a stop.
const REQUEST_PATIENCE: Duration = Duration::from_secs(1);
