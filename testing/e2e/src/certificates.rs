//! A certificate authority that exists for one test.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use vms_pusher::Tls;
use vms_sandbox::{Profile, Sandbox, SandboxConfig};

/// A certificate authority and what it has signed.
#[derive(Debug)]
pub struct TestCa {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl TestCa {
    /// Makes a new authority with a key of its own.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        Self { issuer }
    }

    /// The verification of a client that trusts this authority.
    #[must_use]
    pub fn trusted(&self) -> Tls {
        Tls::with_extra_roots_pem(self.issuer.pem().as_bytes()).expect("a usable root")
    }

    /// Starts a sandbox at `https://localhost` whose certificate is for `name`.
    pub async fn start_sandbox(&self, profile: Profile, name: &str) -> Sandbox {
        let (certificate, key) = self.sign(name);
        let tls = vms_sandbox::Tls::Pem { certificates: certificate.into_bytes(), key: key.into_bytes() };
        let host = Some("localhost".to_owned());
        let config = SandboxConfig { tls: Some(tls), host, ..SandboxConfig::with_profile(profile) };
        Sandbox::start(config).await.expect("the sandbox starts")
    }

    /// A certificate for `name` and its key, both in PEM.
    #[must_use]
    pub fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a valid name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }
}

impl Default for TestCa {
    fn default() -> Self {
        Self::new()
    }
}
