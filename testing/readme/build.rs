//! Takes the program out of README.md: its first block of Rust.

use std::{env, fs, path::Path};

fn main() {
    let readme = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../README.md");
    println!("cargo::rerun-if-changed={}", readme.display());
    let text = fs::read_to_string(readme).unwrap();
    let (_, block) = text.split_once("```rust").expect("README.md has a program");
    let (_, program) = block.split_once('\n').unwrap();
    let (program, _) = program.split_once("```").unwrap();
    fs::write(Path::new(&env::var("OUT_DIR").unwrap()).join("program.rs"), program).unwrap();
}
