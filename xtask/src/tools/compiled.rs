//! Programs of crates.io, compiled where they are installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{install, remove};
use crate::process::{cargo, run, say};

/// A program from crates.io at a fixed version.
#[derive(Debug)]
pub(crate) struct CargoTool {
    name: &'static str,
    version: &'static str,
    arguments: &'static [&'static str],
    /// Its build runs `protoc`, which not every platform has.
    needs_protoc: bool,
    /// What the first installation costs on two cores, for whoever waits.
    cost: &'static str,
}

/// The Pusher server that the end-to-end tests run against.
pub(crate) const SOCKUDO: CargoTool = CargoTool {
    name: "sockudo",
    version: "5.2.0",
    arguments: &["--no-default-features", "--features", "local,v2"],
    needs_protoc: true,
    cost: "about 6 minutes",
};

/// Checks licences, sources and duplicates; `deny.toml` holds the policy.
pub(crate) const CARGO_DENY: CargoTool = CargoTool {
    name: "cargo-deny",
    version: "0.20.2",
    arguments: &["--debug", "--no-default-features"],
    needs_protoc: false,
    cost: "about 1 minute",
};

/// Checks spelling.
pub(super) const fn typos(version: &'static str) -> CargoTool {
    CargoTool {
        name: "typos-cli",
        version,
        // Without its default features it has no words.
        arguments: &["--debug"],
        needs_protoc: false,
        cost: "about 1 minute",
    }
}

/// These programs run for seconds: the time to build them is what counts.
const QUICK_BUILD: [(&str, &str); 4] = [
    ("CARGO_PROFILE_DEV_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
];

impl CargoTool {
    /// Installs the tool unless it is there, and returns the path of its program.
    pub(crate) fn install(&self) -> Result<PathBuf> {
        install(&format!("{}-{}", self.name, self.version), self.name, |home| self.build(home))
    }

    /// Compiles it into `home`. What was compiled stays beside `home` until the whole is, for the next attempt.
    pub(super) fn build(&self, home: &Path) -> Result<()> {
        say(&format!("compiling {} {} into .tools/ ({}, once)", self.name, self.version, self.cost));
        let target = home.with_file_name(format!("{}-{}.target", self.name, self.version));
        run(&mut self.installation(home, &target, vendored_protoc)?)?;
        remove(&target)
    }

    /// The command that installs it. `protoc` is asked only for a tool whose build needs one.
    fn installation(&self, root: &Path, target: &Path, protoc: impl FnOnce() -> Result<Protoc>) -> Result<Command> {
        let mut install = cargo("install");
        install.args([self.name, "--version", self.version]).args(self.arguments);
        install.arg("--root").arg(root).arg("--target-dir").arg(target).envs(QUICK_BUILD);
        if self.needs_protoc {
            let Protoc { program, include } = protoc()?;
            install.env("PROTOC", program).env("PROTOC_INCLUDE", include);
        }
        Ok(install)
    }
}

/// Google's compiler of protocol descriptions, and the descriptions that come with it.
struct Protoc {
    program: PathBuf,
    include: PathBuf,
}

fn vendored_protoc() -> Result<Protoc> {
    let program = protoc_bin_vendored::protoc_bin_path().context("no protoc for this platform")?;
    let include = protoc_bin_vendored::include_path().context("no protoc for this platform")?;
    Ok(Protoc { program, include })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use anyhow::bail;

    use super::*;

    #[test]
    fn a_tool_that_needs_no_protoc_is_installed_where_there_is_none() {
        for tool in [CARGO_DENY, typos("1.0.0")] {
            let install = installation(&tool, || bail!("no protoc for this platform")).unwrap();

            assert_eq!(value(&install, "PROTOC"), None, "{}", tool.name);
        }
    }

    #[test]
    fn a_tool_that_needs_protoc_gets_it_or_says_that_there_is_none() {
        let there = || Ok(Protoc { program: "bin/protoc".into(), include: "include".into() });
        let install = installation(&SOCKUDO, there).unwrap();
        let error = installation(&SOCKUDO, || bail!("no protoc for this platform")).unwrap_err();

        assert_eq!(value(&install, "PROTOC"), Some(OsStr::new("bin/protoc")));
        assert_eq!(value(&install, "PROTOC_INCLUDE"), Some(OsStr::new("include")));
        assert_eq!(error.to_string(), "no protoc for this platform");
    }

    fn installation(tool: &CargoTool, protoc: impl FnOnce() -> Result<Protoc>) -> Result<Command> {
        tool.installation(Path::new("root"), Path::new("target"), protoc)
    }

    fn value<'c>(command: &'c Command, name: &str) -> Option<&'c OsStr> {
        command.get_envs().find(|(key, _)| *key == name)?.1
    }
}
