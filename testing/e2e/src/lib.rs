//! End-to-end tests over real sockets and real servers.
