//! Realtime events of a video-management system, typed and in order.
