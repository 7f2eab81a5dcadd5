//! The endpoint.

use std::{
    collections::VecDeque,
    fmt,
    future::pending,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension, Form, Router,
    extract::{Query, State},
    response::{IntoResponse as _, Response},
    routing::post,
};
use http::{HeaderMap, header};
use tokio::time::sleep;

use super::{
    fault::{AuthAnswer, AuthFault},
    request::{AuthRequest, Fields},
    right::{Flaw, authentication, authorization},
};
use crate::{
    activity::Activity,
    answer,
    app::App,
    fault::{Fault, FaultBook, matches_pattern},
    net::http_connection::HttpConnection,
    shared::Shared,
};

/// An endpoint for clients of a [`Server`](crate::Server), so that tests and examples need no application.
///
/// `POST /pusher/auth` authorizes `private-`, `private-encrypted-` and `presence-` channels for a `socket_id` and a
/// `channel_name`; `POST /pusher/user-auth` authenticates the user of a `socket_id`. Both are in a form, as the clients of
/// Pusher send them. Anybody gets whatever is asked for, as whoever they say they are:
///
/// | form field or query parameter | header | what it is | default |
/// |---|---|---|---|
/// | `user_id` | `x-user-id` | the id of the member or user; empty for a presence channel without `channel_data` | the socket id |
/// | `user_info` | `x-user-info` | the `user_info`, as JSON | none |
/// | `watchlist` | `x-watchlist` | the ids of users to watch, with commas between them | none |
///
/// A form field counts more than a query parameter, and that more than a header.
///
/// [`Server::start`](crate::Server::start) serves it; with [`Server::serve`](crate::Server::serve),
/// [`routes`](Self::routes) are merged into the others. Clones share their state.
#[derive(Clone)]
pub struct AuthEndpoint {
    shared: Arc<Shared>,
    book: Arc<Book>,
}

#[derive(Default)]
struct Book {
    faults: FaultBook<AuthFault>,
    requests: Mutex<VecDeque<AuthRequest>>,
}

impl fmt::Debug for AuthEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthEndpoint").finish_non_exhaustive()
    }
}

impl AuthEndpoint {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, book: Arc::default() }
    }

    /// Its routes.
    pub fn routes(&self) -> Router {
        Router::new().route(CHANNELS, post(authorize)).route(USERS, post(authenticate)).with_state(self.clone())
    }

    /// Injects a fault.
    pub fn inject(&self, fault: Fault<AuthFault>) {
        self.book.faults.add(fault);
    }

    /// Clears every injected fault.
    pub fn clear_faults(&self) {
        self.book.faults.clear();
    }

    /// The last 256 requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<AuthRequest> {
        self.book.requests.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn app(&self) -> &App {
        &self.shared.app
    }

    fn record(&self, request: AuthRequest) {
        let mut requests = self.book.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push_back(request);
        if requests.len() > MAX_REQUESTS {
            requests.pop_front();
        }
    }

    /// Answers a request, unless a fault says otherwise.
    async fn respond(
        &self,
        http: &HttpConnection,
        request: AuthRequest,
        fault: Option<AuthAnswer>,
        right: fn(&App, &AuthRequest, Flaw) -> Response,
    ) -> Response {
        let path = request.path.to_owned();
        self.record(request.clone());
        self.shared.changes.touch();
        let respond = |flaw| right(self.app(), &request, flaw);
        let response = match fault {
            None => respond(Flaw::None),
            Some(AuthAnswer::Body { status, body }) => json_body(status, body),
            Some(AuthAnswer::Delay { millis }) => {
                sleep(Duration::from_millis(millis)).await;
                respond(Flaw::None)
            }
            Some(AuthAnswer::Drop) => {
                http.abort();
                pending().await
            }
            Some(AuthAnswer::Hang) => pending().await,
            Some(AuthAnswer::Status { status, retry_after }) => answer::status(status, retry_after.as_deref()),
            Some(AuthAnswer::WrongSecret) => respond(Flaw::Secret),
            Some(AuthAnswer::WrongSignature) => respond(Flaw::Signature),
        };
        let (method, status) = ("POST".to_owned(), response.status().as_u16());
        self.shared.journal.tell(Activity::Request { method, path, status });
        response
    }
}

async fn authorize(
    State(endpoint): State<AuthEndpoint>,
    Extension(http): Extension<Arc<HttpConnection>>,
    headers: HeaderMap,
    Query(query): Query<Fields>,
    Form(form): Form<Fields>,
) -> Response {
    let request = AuthRequest::new(CHANNELS, &headers, query, form);
    let name = request.field("channel_name");
    let fault = endpoint.book.faults.take(|fault| match fault {
        AuthFault::Channel { channel, answer } => {
            channel.as_deref().is_none_or(|pattern| matches_pattern(pattern, name)).then(|| answer.clone())
        }
        AuthFault::User { .. } => None,
    });
    endpoint.respond(&http, request, fault, authorization).await
}

async fn authenticate(
    State(endpoint): State<AuthEndpoint>,
    Extension(http): Extension<Arc<HttpConnection>>,
    headers: HeaderMap,
    Query(query): Query<Fields>,
    Form(form): Form<Fields>,
) -> Response {
    let fault = endpoint.book.faults.take(|fault| match fault {
        AuthFault::Channel { .. } => None,
        AuthFault::User { answer } => Some(answer.clone()),
    });
    let request = AuthRequest::new(USERS, &headers, query, form);
    endpoint.respond(&http, request, fault, authentication).await
}

fn json_body(status: u16, body: String) -> Response {
    (answer::code(status), [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

const CHANNELS: &str = "/pusher/auth";
const USERS: &str = "/pusher/user-auth";
const MAX_REQUESTS: usize = 256;
