//! A certificate of the sandbox's own, made anew at every start.

use std::{io::Write as _, net::IpAddr};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::NamedTempFile;
use vms_sandbox::Tls;

use crate::failure::{Exit, Failure};

/// What the sandbox serves TLS with, and the authority that clients have to trust.
#[derive(Debug)]
pub(super) struct OwnCertificate {
    pub(super) tls: Tls,
    /// The certificate of the authority, in PEM. The file goes with this.
    pub(super) authority: NamedTempFile,
}

/// Makes a certificate for the loopback, `host` and the address.
pub(super) fn make(host: Option<&str>, address: IpAddr) -> Result<OwnCertificate, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Other, format!("cannot make a certificate (--tls): {error}"))
            .tip("--tls-cert and --tls-key take an existing one")
    };
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(host.map(str::to_owned));
    if !address.is_loopback() && !address.is_unspecified() {
        names.push(address.to_string());
    }
    let issuer = authority().map_err(|error| failed(&error))?;
    let (certificate, key) = sign(names, &issuer).map_err(|error| failed(&error))?;
    let mut file = tempfile::Builder::new()
        .prefix("vms-pusher-sandbox-")
        .suffix(".pem")
        .tempfile()
        .map_err(|error| failed(&error))?;
    file.write_all(issuer.pem().as_bytes()).map_err(|error| failed(&error))?;
    let tls = Tls::Pem { certificates: certificate.into_bytes(), key: key.into_bytes() };
    Ok(OwnCertificate { tls, authority: file })
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "vms-pusher sandbox");
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

/// A certificate for these names and its key, both in PEM.
fn sign(names: Vec<String>, issuer: &CertifiedIssuer<'static, KeyPair>) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(names)?.signed_by(&key, issuer)?;
    Ok((certificate.pem(), key.serialize_pem()))
}
