//! A Pusher Channels client on tokio: WebSocket, TLS, channel authorization, bounded delivery.
