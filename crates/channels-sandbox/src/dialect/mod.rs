//! What each server answers. Nothing here does I/O: a message goes in, actions come out.

pub(crate) mod checks;
mod client_event;
mod greeting;
pub(crate) mod habits;
pub(crate) mod message;
mod presence;
mod push1st;
mod pusher7;
mod reverb;
mod sign_in;
mod sockudo;
mod soketi;

pub(crate) use push1st::MESSAGE_ID_BASE as PUSH1ST_MESSAGE_ID_BASE;

use crate::profile::Profile;
use habits::Dialect;

/// The behaviour of a profile.
pub(crate) fn of(profile: Profile) -> &'static dyn Dialect {
    match profile {
        Profile::Pusher7 => &pusher7::Pusher7,
        Profile::Push1st => &push1st::Push1st,
        Profile::Reverb => &reverb::Reverb,
        Profile::Sockudo => &sockudo::Sockudo,
        Profile::Soketi => &soketi::Soketi,
    }
}
