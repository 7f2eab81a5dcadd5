//! The Pusher Channels protocol as a state machine: no sockets, no clock, no runtime.
