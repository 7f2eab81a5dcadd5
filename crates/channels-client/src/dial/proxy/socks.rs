//! SOCKS5 (RFC 1928), with a user and a password (RFC 1929).

use std::net::IpAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Credentials, Failure, ProxyProblem, Stream};
use crate::endpoint::Endpoint;

/// Asks the proxy at the other end of `stream` to connect to `server`. No byte behind its answer is read.
pub(super) async fn connect(
    mut stream: Stream,
    server: &Endpoint,
    credentials: Option<&Credentials>,
) -> Result<Stream, Failure> {
    let offer: &[u8] = if credentials.is_some() { &[VERSION, 2, OPEN, PASSWORD] } else { &[VERSION, 1, OPEN] };
    send(&mut stream, offer).await?;
    match (read(&mut stream).await?, credentials) {
        ([VERSION, OPEN], _) => {}
        ([VERSION, PASSWORD], Some(credentials)) => authenticate(&mut stream, credentials).await?,
        ([VERSION, _], None) => {
            return Err(Failure::new(ProxyProblem::Credentials, "it requires a user and a password"));
        }
        ([VERSION, _], Some(_)) => {
            return Err(Failure::new(ProxyProblem::Credentials, "it takes no user and password"));
        }
        _ => return Err(not_socks()),
    }
    send(&mut stream, &request(server)?).await?;
    let [version, reply, _, kind] = read(&mut stream).await?;
    if version != VERSION {
        return Err(not_socks());
    }
    if reply != SUCCEEDED {
        return Err(refusal(reply));
    }
    // Where the proxy has connected from.
    match kind {
        IPV4 => drop(read::<6>(&mut stream).await?),
        IPV6 => drop(read::<18>(&mut stream).await?),
        NAME => {
            let [length] = read(&mut stream).await?;
            let mut rest = vec![0; usize::from(length) + 2];
            stream.read_exact(&mut rest).await?;
        }
        _ => return Err(not_socks()),
    }
    Ok(stream)
}

async fn authenticate(stream: &mut Stream, Credentials { user, password }: &Credentials) -> Result<(), Failure> {
    let mut message = vec![PASSWORD_VERSION];
    for text in [user, password] {
        push_short(&mut message, text.expose().as_bytes())?;
    }
    send(stream, &message).await?;
    match read(stream).await? {
        [PASSWORD_VERSION, SUCCEEDED] => Ok(()),
        [PASSWORD_VERSION, _] => {
            Err(Failure::new(ProxyProblem::Credentials, "it does not accept the user and the password"))
        }
        _ => Err(not_socks()),
    }
}

fn request(server: &Endpoint) -> Result<Vec<u8>, Failure> {
    let mut message = vec![VERSION, CONNECT, 0];
    match server.host.parse() {
        Ok(IpAddr::V4(address)) => {
            message.push(IPV4);
            message.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            message.push(IPV6);
            message.extend_from_slice(&address.octets());
        }
        Err(_) => {
            message.push(NAME);
            push_short(&mut message, server.host.as_bytes())?;
        }
    }
    message.extend_from_slice(&server.port.to_be_bytes());
    Ok(message)
}

/// Adds `bytes` and, in front of them, their number.
fn push_short(message: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Failure> {
    let too_long = |_| Failure::new(ProxyProblem::Refused, "what it is to be told is too long for SOCKS5");
    message.push(u8::try_from(bytes.len()).map_err(too_long)?);
    message.extend_from_slice(bytes);
    Ok(())
}

async fn send(stream: &mut Stream, message: &[u8]) -> Result<(), Failure> {
    stream.write_all(message).await?;
    stream.flush().await?;
    Ok(())
}

async fn read<const N: usize>(stream: &mut Stream) -> Result<[u8; N], Failure> {
    let mut read = [0; N];
    stream.read_exact(&mut read).await?;
    Ok(read)
}

fn refusal(reply: u8) -> Failure {
    let (problem, reason) = match reply {
        2 => (ProxyProblem::Refused, "its rules do not allow the connection"),
        3 => (ProxyProblem::Server, "the network of the server is unreachable"),
        4 => (ProxyProblem::Server, "the server is unreachable, or its name unknown"),
        5 => (ProxyProblem::Server, "the server refused the connection"),
        6 => (ProxyProblem::Server, "the connection took too long"),
        7 | 8 => (ProxyProblem::Refused, "it does not connect to servers of this kind"),
        _ => (ProxyProblem::Server, "it failed"),
    };
    Failure::new(problem, format!("{reason} (SOCKS reply {reply})"))
}

fn not_socks() -> Failure {
    Failure::new(ProxyProblem::NotAProxy, "it does not speak SOCKS5")
}

const VERSION: u8 = 5;
/// Methods of authentication.
const OPEN: u8 = 0;
const PASSWORD: u8 = 2;
const PASSWORD_VERSION: u8 = 1;
const CONNECT: u8 = 1;
/// Kinds of addresses.
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
const SUCCEEDED: u8 = 0;
