//! From arguments to settings that make sense, before anything is sent.

mod account;
mod certificate;
mod credentials;
pub(crate) mod duration;
mod fault;
mod files;
mod listen;
mod password;
mod push;
pub(crate) mod refused;
mod sandbox;
mod token;

pub(crate) use self::{
    credentials::Credentials,
    fault::fault,
    files::tls,
    listen::{Account, Filter, ListenSettings},
    push::{base_url, push},
    sandbox::{Day, SandboxSettings, Trust},
};
