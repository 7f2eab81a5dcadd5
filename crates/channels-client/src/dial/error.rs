use std::{io, net::SocketAddr};

use channels_proto::ConnectFailureKind;
use rustls::CertificateError;
use thiserror::Error;

use crate::endpoint::Endpoint;

/// Why no connection to a server could be made. Every text names the cause, the address and, where one is known, what
/// may help.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name of the host could not be resolved.
    #[error("cannot resolve the host of {address}: {reason}")]
    Resolve {
        /// Host and port asked for.
        address: String,
        /// What the resolver said.
        reason: String,
    },
    /// No address of the host could be reached.
    #[error("cannot connect to {address}: {reason}")]
    Tcp {
        /// Host and port asked for, and the address tried.
        address: String,
        /// The kind of error, for a program.
        kind: io::ErrorKind,
        /// What the operating system said.
        reason: String,
    },
    /// The connection broke during the TLS handshake.
    #[error("the connection to {address} broke during the TLS handshake: {reason}")]
    Lost {
        /// Host and port.
        address: String,
        /// What the operating system said.
        reason: String,
    },
    /// The certificate of the server was refused.
    #[error("the certificate of {address} was refused: {reason}{}", problem.hint())]
    Certificate {
        /// Host and port.
        address: String,
        /// What is wrong with it, for a program.
        problem: CertificateProblem,
        /// What the verifier said.
        reason: String,
    },
    /// TLS could not be agreed on.
    #[error("no TLS connection with {address}: {reason}")]
    Tls {
        /// Host and port.
        address: String,
        /// What rustls said.
        reason: String,
    },
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// It is expired or not yet valid, or the clock of this device is wrong.
    Time,
    /// It is for another host.
    Name,
    /// Its issuer is not known to the platform or among the extra roots.
    Issuer,
    /// Anything else.
    Other,
}

impl CertificateProblem {
    const fn hint(self) -> &'static str {
        match self {
            Self::Time => "; check the clock of this device",
            Self::Name => "; check the host in the URL",
            Self::Issuer => "; if the server has a certificate authority of its own, add its root certificate",
            Self::Other => "",
        }
    }
}

impl ConnectError {
    /// Returns whether the server was reached and refused, so that a quick retry will not help.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Certificate { .. } | Self::Tls { .. } => true,
            Self::Resolve { .. } | Self::Tcp { .. } | Self::Lost { .. } => false,
        }
    }

    pub(crate) const fn kind(&self) -> ConnectFailureKind {
        match self {
            Self::Resolve { .. } => ConnectFailureKind::Resolve,
            Self::Tcp { .. } | Self::Lost { .. } => ConnectFailureKind::Network,
            Self::Certificate { .. } => ConnectFailureKind::Certificate,
            Self::Tls { .. } => ConnectFailureKind::Tls,
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
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => Self::tls(endpoint, error),
            None => Self::Lost { address: endpoint.to_string(), reason: error.to_string() },
        }
    }

    pub(super) fn tls(endpoint: &Endpoint, error: &rustls::Error) -> Self {
        let address = endpoint.to_string();
        let reason = error.to_string();
        #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; what is not named has no hint")]
        match error {
            rustls::Error::InvalidCertificate(certificate) => {
                let reason = reason.trim_start_matches("invalid peer certificate: ").to_owned();
                Self::Certificate { address, problem: problem(certificate), reason }
            }
            rustls::Error::InvalidMessage(_) => {
                Self::Tls { address, reason: format!("{reason}; does the server speak TLS on this port?") }
            }
            _ => Self::Tls { address, reason },
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; what is not named has no hint")]
const fn problem(error: &CertificateError) -> CertificateProblem {
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => CertificateProblem::Time,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => CertificateProblem::Name,
        // A bad signature is an authority that was made anew under its old name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => CertificateProblem::Issuer,
        _ => CertificateProblem::Other,
    }
}
