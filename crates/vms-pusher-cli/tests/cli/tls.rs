//! `sandbox` with a certificate, and who trusts it.

use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use crate::support::{From, Running, finish, run, vms_pusher};

/// A certificate that signs itself, in files.
struct Certificate {
    _folder: TempDir,
    certificate: PathBuf,
    key: PathBuf,
}

impl Certificate {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key_pair = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key_pair).unwrap();
        let (path, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&path, certificate.pem()).unwrap();
        std::fs::write(&key, key_pair.serialize_pem()).unwrap();
        Self { _folder: folder, certificate: path, key }
    }

    /// A sandbox that has it, and its base URL.
    fn sandbox(&self, host: &str) -> (Running, String) {
        let mut sandbox = vms_pusher(&["sandbox", "--bind", "127.0.0.1:0", "--json", "--host", host]);
        sandbox.arg("--tls-cert").arg(&self.certificate).arg("--tls-key").arg(&self.key);
        let sandbox = Running::start(&mut sandbox);
        let line = sandbox.wait_for(From::Stdout, &["base_url"]);
        let needed: serde_json::Value = serde_json::from_str(&line).unwrap();
        (sandbox, needed["base_url"].as_str().unwrap().to_owned())
    }
}

#[test]
fn a_certificate_of_ones_own_works_when_it_is_trusted() {
    let certificate = Certificate::new("localhost");
    let (_sandbox, base_url) = certificate.sandbox("localhost");
    assert!(base_url.starts_with("https://localhost:"), "{base_url}");
    let ca = certificate.certificate.to_str().unwrap();
    let mut listen = vms_pusher(&["listen", "--base-url", &base_url, "--login", "demo", "--ca", ca]);
    let listen = Running::start(listen.env("VMS_PASSWORD", "demo"));
    listen.wait_for(From::Stderr, &["listening", "wss://localhost:"]);
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    let pushed = run(&["push", "mark_created", "--sandbox", &base_url, "--ca", ca]).expect(0);
    assert_eq!(pushed.stdout, "pushed mark_created to 1 socket\n");
    listen.wait_for(From::Stdout, &["event_created"]);
    listen.interrupt().expect(130);
    run(&["cut", "--sandbox", &base_url]).expect(6).says(&["certificate", &base_url]);
}

// T01, T02: whoever is not trusted is told of, with what may help.
#[test]
fn a_certificate_that_is_not_trusted_is_told_with_its_cause() {
    let certificate = Certificate::new("localhost");
    let (_sandbox, base_url) = certificate.sandbox("localhost");
    let mut listen = vms_pusher(&["listen", "--base-url", &base_url, "--login", "demo"]);
    let listen = Running::start(listen.env("VMS_PASSWORD", "demo"));
    listen.wait_for(From::Stderr, &["error", "the certificate of localhost:", "add its root certificate"]);
    listen.interrupt().expect(130);
}

#[test]
fn the_certificate_of_another_host_is_told_with_its_cause() {
    let certificate = Certificate::new("vms.example");
    let (_sandbox, base_url) = certificate.sandbox("localhost");
    let ca = certificate.certificate.to_str().unwrap();
    let mut listen = vms_pusher(&["listen", "--base-url", &base_url, "--login", "demo", "--ca", ca]);
    let listen = Running::start(listen.env("VMS_PASSWORD", "demo"));
    listen.wait_for(From::Stderr, &["error", "the certificate of localhost:", "check the host in the URL"]);
    listen.interrupt().expect(130);
}

#[test]
fn a_file_that_holds_no_certificate_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let mut listen = vms_pusher(&["listen", "--base-url", "https://127.0.0.1:1", "--login", "demo", "--ca", path]);
    finish(listen.env("VMS_PASSWORD", "demo")).expect(2).says(&["--ca", path, "no certificate"]);
    run(&["sandbox", "--bind", "127.0.0.1:0", "--tls-cert", path, "--tls-key", path]).expect(2);
    run(&["sandbox", "--bind", "127.0.0.1:0", "--tls-cert", path]).expect(2).says(&["--tls-key"]);
}
