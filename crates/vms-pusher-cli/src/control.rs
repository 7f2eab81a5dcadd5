//! Drives a running sandbox over its control API.

use std::time::Duration;

use bytes::Bytes;
use channels_client::http::{ConnectError, HttpClient, HttpError, HttpLimits, HttpUrl};
use http::{Method, Request, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use vms_sandbox::{Affected, ControlFailure, CutRequest, Delivered, EVENT_TYPES, Push};

use crate::{
    args::{CutArgs, PushArgs, SandboxAddress, event_name},
    failure::{Exit, Failure},
    output::{Output, text::counted},
    settings,
};

pub(crate) async fn push(args: PushArgs, output: &mut Output) -> Result<Exit, Failure> {
    if args.list {
        return list(output);
    }
    let push = settings::push(&args)?;
    if args.show {
        return show(&push, output);
    }
    let control = Control::new(&args.sandbox)?;
    let Delivered { sockets } = control.order("push", &push).await?;
    output.data(&format!("pushed {} to {}", push.type_, count(sockets)))?;
    if push.type_ == "logout" {
        output.warning("the token stays valid: `vms-pusher logout` ends the session as a VMS does");
    }
    if sockets == 0 {
        output.warning("none of its recipients is subscribed: a VMS keeps no events, so it is lost");
    }
    Ok(Exit::Done)
}

pub(crate) async fn cut(args: CutArgs, output: &mut Output) -> Result<Exit, Failure> {
    let control = Control::new(&args.sandbox)?;
    let Affected { sockets } = control.order("cut", &CutRequest { sockets: args.to, reset: args.reset }).await?;
    output.data(&format!("cut {}", count(sockets)))?;
    Ok(Exit::Done)
}

fn count(sockets: usize) -> String {
    counted(sockets.try_into().unwrap_or(u64::MAX), "socket", "sockets")
}

fn list(output: &mut Output) -> Result<Exit, Failure> {
    let width = EVENT_TYPES.iter().map(|row| row.name.len()).max().unwrap_or_default();
    for row in EVENT_TYPES {
        output.data(&format!("{:<width$}  {}", row.name, event_name(row.event)))?;
    }
    Ok(Exit::Done)
}

fn show(push: &Push, output: &mut Output) -> Result<Exit, Failure> {
    let named = || EVENT_TYPES.iter().filter(|row| row.name == push.type_);
    let row = named().find(|row| Some(row.event) == push.event).or_else(|| named().next());
    let body = row.map(vms_sandbox::EventType::default_body).unwrap_or_default();
    output.data(&format!("{body:#}"))?;
    Ok(Exit::Done)
}

/// A client of the control API.
pub(crate) struct Control {
    root: HttpUrl,
    http: HttpClient,
}

impl Control {
    pub(crate) fn new(address: &SandboxAddress) -> Result<Self, Failure> {
        let base = settings::base_url(&address.sandbox)?;
        // The state has room for hundreds of sockets.
        let limits = HttpLimits { max_body_bytes: 16 << 20, deadline: Duration::from_secs(10) };
        let http = HttpClient::new(base.origin(), settings::tls(&address.ca)?, limits)
            .map_err(|error| Failure::new(Exit::Other, error))?;
        Ok(Self { root: base.join("sandbox"), http })
    }

    /// Gives an order.
    pub(crate) async fn order<A: DeserializeOwned>(&self, what: &str, order: &impl Serialize) -> Result<A, Failure> {
        let body = serde_json::to_vec(order).map_err(|error| Failure::new(Exit::Other, error))?;
        self.request(Method::POST, what, body).await
    }

    /// Asks for something.
    pub(crate) async fn get<A: DeserializeOwned>(&self, what: &str) -> Result<A, Failure> {
        self.request(Method::GET, what, Vec::new()).await
    }

    /// Calls something off.
    pub(crate) async fn delete<A: DeserializeOwned>(&self, what: &str) -> Result<A, Failure> {
        self.request(Method::DELETE, what, Vec::new()).await
    }

    async fn request<A: DeserializeOwned>(&self, method: Method, what: &str, body: Vec<u8>) -> Result<A, Failure> {
        let url = self.root.join(what);
        let unusable = |reason: String| {
            Failure::new(Exit::Control, format!("{url} did not answer like a sandbox: {reason}"))
                .tip("is --sandbox the base URL that `vms-pusher sandbox` printed?")
        };
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = url.path().parse().map_err(|_| unusable("its address cannot be called".to_owned()))?;
        request.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        let response = Box::pin(self.http.send(request)).await.map_err(|error| {
            if matches!(error, HttpError::Connect(ConnectError::Certificate { .. })) {
                return Failure::new(Exit::Control, format!("no connection to the sandbox at {url}: {error}"))
                    .tip("give the certificate that it was started with, or printed, with --ca FILE");
            }
            Failure::new(Exit::Control, format!("no sandbox at {url}: {error}"))
                .tip("start one with `vms-pusher sandbox`, or give its address with --sandbox URL")
        })?;
        match response.status() {
            status if status.is_success() => {
                serde_json::from_slice(response.body()).map_err(|error| unusable(error.to_string()))
            }
            StatusCode::NOT_FOUND => Err(Failure::new(Exit::Control, format!("{url} answered with status 404"))
                .tip("is it a sandbox, and does it allow control (--allow-remote-control)?")),
            status => match serde_json::from_slice(response.body()) {
                Ok(ControlFailure { error }) => {
                    Err(Failure::new(Exit::Control, format!("{url} refused ({status}): {error}"))
                        .tip("see --help of the command"))
                }
                Err(_) => Err(unusable(format!("status {status}"))),
            },
        }
    }
}
