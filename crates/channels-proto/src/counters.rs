/// What the machine dropped or tolerated, counted since it was made.
///
/// Nothing here was meant for the application; a growing number points at a server or a network that misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Inputs that carried the epoch of a socket already gone (a late close, a late text, a late answer).
    pub stale_inputs: u64,
    /// Text frames that were not a Pusher message: not JSON, not an object, no event name, over a limit.
    pub malformed_frames: u64,
    /// Binary messages.
    pub binary_frames: u64,
    /// `pusher:` and `pusher_internal:` events that are not known, or that name a channel where none belongs.
    pub ignored_internal_events: u64,
    /// Events without a channel, or of a channel that is not subscribed.
    pub unexpected_events: u64,
    /// Acknowledgements of channels that nobody wants.
    pub unexpected_acknowledgements: u64,
    /// Second and later acknowledgements of a subscribed channel.
    pub repeated_acknowledgements: u64,
    /// Sockets asked for.
    pub attempts: u64,
    /// Pings sent because nothing was received for a while.
    pub pings: u64,
}
