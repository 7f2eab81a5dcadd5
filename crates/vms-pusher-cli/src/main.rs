//! The program `vms-pusher`.

fn main() {}
