//! The client of handles: every channel has handles of its own, each with its own bounded queue.
//!
//! `hub` takes what the task hands over and gives it out; `subscription` is what the handles of one channel share,
//! `mailbox` the queue behind one stream, and `callbacks` those that are called.

mod authorizers;
mod backlog;
mod builder;
mod callbacks;
mod channel;
mod error;
mod event;
mod events;
mod giving;
mod handle;
mod hub;
mod item;
mod items;
mod joining;
mod mailbox;
mod sending;
mod shared;
mod status;
mod subscription;
mod user;
mod wants;

pub use self::{
    builder::ClientBuilder,
    callbacks::Binding,
    channel::Channel,
    error::{BuildError, SubscribeError, TriggerError, WaitError},
    event::{ChannelEvent, EventDefect},
    events::Events,
    handle::Client,
    item::{ChannelItem, ChannelState},
    items::Items,
    user::{UserItem, UserItems},
};
