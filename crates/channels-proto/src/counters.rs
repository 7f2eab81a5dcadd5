/// What the machine has dropped or tolerated since it was created.
///
/// None of it was meant for the application; a growing number suggests that a server or a network misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Inputs that carried the epoch of a socket that no longer exists (a late close, a late text, a late result).
    pub stale_inputs: u64,
    /// Text frames that were not a Pusher message: not JSON, not an object, no event name, over a limit.
    pub malformed_frames: u64,
    /// Binary messages.
    pub binary_frames: u64,
    /// `pusher:` and `pusher_internal:` events that are unknown, or that name a channel where none belongs.
    pub ignored_internal_events: u64,
    /// Events without a channel, or of a channel that is not subscribed.
    pub unexpected_events: u64,
    /// Acknowledgements of channels that were not requested.
    pub unexpected_acknowledgements: u64,
    /// Further acknowledgements of a channel that is already subscribed.
    pub repeated_acknowledgements: u64,
    /// Sockets requested.
    pub attempts: u64,
    /// Pings sent.
    pub pings: u64,
}
