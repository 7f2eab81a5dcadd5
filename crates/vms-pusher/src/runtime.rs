//! The runtime of a client's tasks.

use std::sync::{Mutex, OnceLock, PoisonError};

use tokio::runtime::{Builder, Handle, Runtime};

/// Returns `chosen`, or the runtime that the caller is in, or the one of the process, which is made on first use.
pub(crate) fn handle(chosen: Option<Handle>) -> std::io::Result<Handle> {
    if let Some(handle) = chosen {
        return Ok(handle);
    }
    if let Ok(handle) = Handle::try_current() {
        return Ok(handle);
    }
    of_the_process()
}

/// It is never shut down: a runtime must not be dropped on one of its own threads, and a client's last handle may be.
fn of_the_process() -> std::io::Result<Handle> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.handle().clone());
    }
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).thread_name("vms-pusher").enable_all().build()?;
    Ok(RUNTIME.get_or_init(|| runtime).handle().clone())
}

/// Clients wait for the network nearly all the time; one thread serves thousands, the second takes over when a
/// signature keeps the first busy.
const WORKERS: usize = 2;
