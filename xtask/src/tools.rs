//! Programs the tasks use, installed once into the ignored folder `.tools/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, command, run, say};
use crate::workspace;

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

/// Checks spelling; `typos.toml` holds the exceptions.
pub(crate) const TYPOS: CargoTool = CargoTool {
    name: "typos-cli",
    version: "1.52.0",
    arguments: &["--debug", "--no-default-features"],
    needs_protoc: false,
    cost: "about 1 minute",
};

/// These programs run for seconds: the time to build them is what counts.
const QUICK_BUILD: [(&str, &str); 4] = [
    ("CARGO_PROFILE_DEV_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
];

impl CargoTool {
    /// Installs the tool unless it is there, and returns the path of `program`.
    ///
    /// The folder appears under its final name only when it is complete, so an interrupted installation is repeated.
    pub(crate) fn install(&self, program: &str) -> Result<PathBuf> {
        let tools = workspace::root().join(".tools");
        let folder = format!("{}-{}", self.name, self.version);
        let home = tools.join(&folder);
        let program = home.join("bin").join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
        if !program.exists() {
            let partial = tools.join(format!("{folder}.partial"));
            let target = tools.join(format!("{folder}.target"));
            self.build(&partial, &target)?;
            remove(&home)?;
            fs::rename(&partial, &home).with_context(|| format!("cannot move {}", partial.display()))?;
            remove(&target)?;
        }
        Ok(program)
    }

    fn build(&self, root: &Path, target: &Path) -> Result<()> {
        say(&format!("installing {} {} into .tools/ ({}, once)", self.name, self.version, self.cost));
        remove(root)?;
        run(&mut self.installation(root, target, vendored_protoc)?)
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

/// Installs pusher-js, as `package-lock.json` pins it, beside the script that uses it.
pub(crate) fn install_pusher_js() -> Result<()> {
    let home = workspace::root().join("testing/e2e/pusher-js");
    let lock = fs::read(home.join("package-lock.json")).context("cannot read package-lock.json")?;
    let stamp = home.join("node_modules/.installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    require_node()?;
    run(command("npm").current_dir(&home).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]))?;
    fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))
}

fn require_node() -> Result<()> {
    for program in ["node", "npm"] {
        let found = command(program).arg("--version").output().is_ok_and(|output| output.status.success());
        if !found {
            bail!(
                "`{program}` is missing: the pusher-js test needs Node.js 18 or newer with npm \
                 (Debian: apt-get install nodejs npm; macOS: brew install node)"
            );
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn a_tool_that_needs_no_protoc_is_installed_where_there_is_none() {
        for tool in [CARGO_DENY, TYPOS] {
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
