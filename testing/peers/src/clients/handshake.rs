//! The parts of a first connection with TLS, one by one, as ours makes them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Target, print_line, wait_for_stdin};
use crate::resources::own_cpu;

/// Prints the CPU time of reading the platform's root certificates, of the first handshake of the process, and of a later
/// one that is not resumed either, in nanoseconds.
pub(super) fn connect(target: &Target) -> Result<()> {
    let authority = target.authority.as_ref().context("BENCH_CA is not set")?;
    let authority = CertificateDer::from_pem_file(authority)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let start = own_cpu();
    Verifier::new_with_extra_roots([authority.clone()], Arc::clone(&provider))?;
    let roots = own_cpu() - start;
    let mut store = RootCertStore::empty();
    store.add(authority)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (first, later) = runtime.block_on(async {
        let first = handshake(target, store.clone()).await?;
        anyhow::Ok((first, handshake(target, store).await?))
    })?;
    print_line(&format!("cpu {} {} {}", roots.as_nanos(), first.as_nanos(), later.as_nanos()))?;
    wait_for_stdin();
    Ok(())
}

/// Each has a configuration of its own, so that nothing is resumed.
async fn handshake(target: &Target, roots: RootCertStore) -> Result<Duration> {
    let stream = TcpStream::connect(("127.0.0.1", target.port(0))).await?;
    let start = own_cpu();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(ServerName::try_from("127.0.0.1")?, stream).await?;
    Ok(own_cpu() - start)
}
