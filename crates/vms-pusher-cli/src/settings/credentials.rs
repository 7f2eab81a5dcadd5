use std::sync::Arc;

use vms_pusher::{DynTokenProvider, Secret, VmsCredentials};

/// Who is listening.
pub(crate) enum Credentials {
    /// Someone who has to log in first.
    Login(VmsCredentials),
    /// Someone with a token.
    Token {
        token: Secret,
        /// Where a newer one may be found when the server refuses this one.
        provider: Option<Arc<dyn DynTokenProvider>>,
        user_id: i64,
        access_token_id: String,
    },
}
