//! The task that owns one client.

use std::sync::Arc;

use crate::{Authorizer, ClientOptions, Decoder, delivery::core::Core};

/// Starts the task on the runtime of `core`.
pub(crate) fn start<D: Decoder>(
    options: ClientOptions,
    authorizer: Arc<dyn Authorizer>,
    decoder: D,
    core: &Arc<Core<D::Item>>,
) {
    let _ = (options, authorizer, decoder, core);
}
