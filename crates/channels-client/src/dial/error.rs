use std::{io, net::SocketAddr};

use channels_proto::{ConnectFailureKind, Printable};
use rustls::{AlertDescription, CertificateError, OtherError};
use thiserror::Error;

use crate::{endpoint::Endpoint, tls::NotPinned};

/// Why no connection to a server could be made. Every message names the cause, the address and, where known, what may
/// help.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name of the host could not be resolved.
    #[error("cannot resolve the host of {address}: {reason}")]
    Resolve {
        /// The requested host and port.
        address: String,
        /// The resolver's error.
        reason: String,
    },
    /// No address of the host could be reached.
    #[error("cannot connect to {address}: {reason}")]
    Tcp {
        /// The requested host and port, and the address tried.
        address: String,
        /// The kind of error, for a program.
        kind: io::ErrorKind,
        /// What the operating system said.
        reason: String,
    },
    /// The connection was lost during the TLS handshake.
    #[error("the connection to {address} was lost during the TLS handshake: {reason}")]
    Lost {
        /// Host and port.
        address: String,
        /// What the operating system said.
        reason: String,
    },
    /// The server's certificate was rejected.
    #[error("the certificate of {address} was rejected: {reason}{}", problem.hint())]
    Certificate {
        /// Host and port.
        address: String,
        /// What is wrong with it, for a program.
        problem: CertificateProblem,
        /// The verifier's error.
        reason: String,
    },
    /// This device's clock is set before 1970, so no certificate can be verified.
    #[error("the certificate of {address} cannot be verified: the clock of this device is set before 1970; set it")]
    Clock {
        /// Host and port.
        address: String,
    },
    /// The TLS handshake failed for another reason.
    #[error("no TLS connection with {address}: {reason}")]
    Tls {
        /// Host and port.
        address: String,
        /// The error of rustls.
        reason: String,
    },
    /// The proxy did not connect to the server.
    #[error("cannot connect to {address} through the proxy {proxy}: {reason}{}", problem.hint())]
    Proxy {
        /// Host and port of the server.
        address: String,
        /// The proxy, without user and password.
        proxy: String,
        /// What is wrong, for a program.
        problem: ProxyProblem,
        /// What it did, in words.
        reason: String,
    },
}

/// What is wrong with a proxy, or with it and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyProblem {
    /// It could not be connected to, or its certificate was rejected.
    Unreachable,
    /// It requires a user and a password, or others than it was given.
    Credentials,
    /// It does not connect to this server.
    Refused,
    /// It could not connect to the server.
    Server,
    /// What answers is no such proxy: it said something else, or too much.
    NotAProxy,
    /// It closed the connection instead of answering.
    Closed,
    /// It did not answer within 8 s.
    Silent,
}

impl ProxyProblem {
    const fn hint(self) -> &'static str {
        match self {
            Self::Credentials => "; check the user and the password of the proxy",
            Self::NotAProxy => {
                "; check the kind, the host and the port of the proxy; or is it a login page of the network?"
            }
            Self::Unreachable | Self::Refused | Self::Server | Self::Closed | Self::Silent => "",
        }
    }
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// It is expired or not yet valid, or the clock of this device is wrong.
    Time,
    /// It is for another host.
    Name,
    /// Its issuer is neither trusted by the platform nor among the extra roots.
    Issuer,
    /// It is a CA certificate; a server needs its own.
    Authority,
    /// Its public key is none of those that are [pinned](crate::TlsBuilder::pinned_key).
    NotPinned,
    /// Anything else.
    Other,
}

impl CertificateProblem {
    const fn hint(self) -> &'static str {
        match self {
            Self::Time => "; check the clock of this device",
            Self::Name => "; check the host in the URL",
            Self::Issuer => "; if the server has its own certificate authority, add its root certificate",
            Self::Authority => {
                "; trusting it does not help: have that authority issue a certificate for the server, or make one for the \
                 server that is no authority (CA:FALSE)"
            }
            Self::NotPinned => "; has the server a new key, or is somebody in between?",
            Self::Other => "",
        }
    }
}

impl ConnectError {
    /// Returns whether the server was reached and the connection refused, so that a quick retry will not help.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Certificate { .. } | Self::Clock { .. } | Self::Tls { .. } => true,
            Self::Proxy { problem, .. } => {
                matches!(problem, ProxyProblem::Credentials | ProxyProblem::Refused | ProxyProblem::NotAProxy)
            }
            Self::Resolve { .. } | Self::Tcp { .. } | Self::Lost { .. } => false,
        }
    }

    pub(crate) const fn kind(&self) -> ConnectFailureKind {
        match self {
            Self::Resolve { .. } => ConnectFailureKind::Resolve,
            Self::Tcp { .. } | Self::Lost { .. } => ConnectFailureKind::Network,
            Self::Certificate { .. } | Self::Clock { .. } => ConnectFailureKind::Certificate,
            Self::Tls { .. } => ConnectFailureKind::Tls,
            Self::Proxy { .. } => ConnectFailureKind::Proxy,
        }
    }

    pub(super) fn resolve(endpoint: &Endpoint, reason: &str) -> Self {
        Self::Resolve { address: endpoint.to_string(), reason: reason.to_owned() }
    }

    pub(super) fn tcp(endpoint: &Endpoint, tried: SocketAddr, error: &io::Error) -> Self {
        let (asked, tried) = (endpoint.to_string(), tried.to_string());
        let address = if asked == tried { asked } else { format!("{asked} ({tried})") };
        Self::Tcp { address, kind: error.kind(), reason: error.to_string() }
    }

    pub(super) fn handshake(endpoint: &Endpoint, error: &io::Error) -> Self {
        match tls_error(error) {
            Some(error) => Self::tls(endpoint, error),
            None => Self::Lost { address: endpoint.to_string(), reason: io_reason(error) },
        }
    }

    pub(super) fn tls(endpoint: &Endpoint, error: &rustls::Error) -> Self {
        let address = endpoint.to_string();
        let reason = error.to_string();
        #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; what is not named has no hint")]
        match error {
            rustls::Error::InvalidCertificate(certificate) => {
                let problem = problem(certificate);
                Self::Certificate { address, problem, reason: certificate_reason(certificate, problem) }
            }
            rustls::Error::FailedToGetCurrentTime => Self::Clock { address },
            rustls::Error::InvalidMessage(_) => {
                Self::Tls { address, reason: format!("{reason}; does the server speak TLS on this port?") }
            }
            rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
                Self::Tls { address, reason: "the server requires a client certificate".to_owned() }
            }
            _ => Self::Tls { address, reason },
        }
    }
}

/// Says in words what rustls and webpki know by a name; the names that a server gives itself are shown on one line.
fn certificate_reason(error: &CertificateError, problem: CertificateProblem) -> String {
    if problem == CertificateProblem::Authority {
        return "it is a CA certificate, not a server certificate".to_owned();
    }
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; the rest is left as it is called")]
    match error {
        CertificateError::UnknownIssuer => "its issuer is not trusted".to_owned(),
        CertificateError::BadSignature => "its signature is not that of the issuer it names".to_owned(),
        CertificateError::Revoked => "it was revoked".to_owned(),
        CertificateError::BadEncoding => "it is damaged".to_owned(),
        CertificateError::Other(OtherError(error)) => Printable(&error.to_string()).to_string(),
        other => Printable(&other.to_string()).to_string(),
    }
}

/// Returns what TLS has against the connection, when that is what failed.
pub(crate) fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// What the operating system says; where it is a library that speaks of the end of a stream, in our words.
pub(crate) fn io_reason(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return "the server ended the connection unexpectedly".to_owned();
    }
    if matches!(tls_error(error), Some(rustls::Error::AlertReceived(AlertDescription::CertificateRequired))) {
        return "the server requires a client certificate".to_owned();
    }
    Printable(&error.to_string()).to_string()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; what is not named has no hint")]
fn problem(error: &CertificateError) -> CertificateProblem {
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => CertificateProblem::Time,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => CertificateProblem::Name,
        // A bad signature is an authority that was made anew under its old name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => CertificateProblem::Issuer,
        CertificateError::Other(OtherError(error))
            if matches!(error.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity)) =>
        {
            CertificateProblem::Authority
        }
        CertificateError::Other(OtherError(error)) if error.is::<NotPinned>() => CertificateProblem::NotPinned,
        _ => CertificateProblem::Other,
    }
}
