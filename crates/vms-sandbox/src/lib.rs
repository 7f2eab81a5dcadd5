//! A video-management system on the desk: REST, channel authorization and a Pusher server with faults.
