//! The program of README.md, as it stands there.

include!(concat!(env!("OUT_DIR"), "/program.rs"));
