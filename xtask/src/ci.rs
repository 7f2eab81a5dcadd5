//! `cargo xtask ci`: everything a change must pass, cheapest first.

use anyhow::Result;

use crate::process::{self, cargo, cargo_fmt, command};
use crate::{bench, claims, test, tools};

/// Runs every check, then every test; stops at the first that fails.
pub(crate) fn run() -> Result<()> {
    tools::require_node()?;
    tools::require_python()?;
    process::run(cargo_fmt().args(["--all", "--check"]))?;
    claims::check()?;
    check_spelling()?;
    check_dependencies()?;
    process::run(cargo("clippy").args(["--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    check_features()?;
    build_documentation()?;
    package_libraries()?;
    bench::check()?;
    test::run()
}

/// Other choices of features than the default: nothing else compiles the library by itself with them.
fn check_features() -> Result<()> {
    for features in FEATURES {
        let selection = ["--package", "channels-client", "--no-default-features", "--features", features];
        process::run(cargo("check").args(selection))?;
    }
    Ok(())
}

/// What `cargo publish --dry-run` does but for the question to the registry: each library is packed, and compiled with its
/// own features alone. It is not compiled from its package: cargo would take what it once unpacked of another library's
/// package of the same version, however much that has changed.
fn package_libraries() -> Result<()> {
    let libraries = PUBLISHED.iter().flat_map(|library| ["--package", library]);
    process::run(cargo("package").args(["--offline", "--allow-dirty", "--no-verify"]).args(libraries))?;
    for library in PUBLISHED {
        process::run(cargo("check").args(["--package", library, "--lib"]))?;
    }
    Ok(())
}

fn check_spelling() -> Result<()> {
    let typos = tools::install_typos()?;
    process::run(command(&typos.to_string_lossy()).args(["--config", "typos.toml"]))
}

/// Advisories are left out: their database comes from a Git repository, not from a package registry.
fn check_dependencies() -> Result<()> {
    let deny = tools::CARGO_DENY.install()?;
    process::run(command(&deny.to_string_lossy()).args(["--locked", "check", "bans", "licenses", "sources"]))
}

/// The program `vms-pusher` is documented on its own: its pages have the same name as those of the library.
fn build_documentation() -> Result<()> {
    for selection in [["--workspace", "--exclude=vms-pusher-cli"], ["--package", "vms-pusher-cli"]] {
        process::run(cargo("doc").arg("--no-deps").args(selection).env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(())
}

/// Without `ring`, and without the platform's verifier; the default without anything else is checked with its package.
const FEATURES: [&str; 2] = ["aws-lc-rs,platform-verifier", "ring,webpki-roots,signer"];
const PUBLISHED: [&str; 3] = ["channels-proto", "channels-client", "vms-pusher"];
