//! Programs the tasks use, installed once into the ignored folder `.tools/`.

mod compiled;
mod node;
mod python;
mod wheel;

pub(crate) use compiled::{CARGO_DENY, SOCKUDO};
pub(crate) use node::{install_npm_packages, require_node};
pub(crate) use python::{install_pusher_python, require_python};
pub(crate) use wheel::install_typos;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace;

/// Installs a program into its own folder of `.tools/` unless it is there, and returns its path.
///
/// `fill` installs into the folder it is given, which gets its final name only when it is complete: an interrupted installation is repeated.
fn install(folder: &str, program: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    install_in(&workspace::root().join(".tools"), folder, program, fill)
}

fn install_in(tools: &Path, folder: &str, program: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let home = tools.join(folder);
    let program = home.join("bin").join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        let partial = tools.join(format!("{folder}.partial"));
        remove(&partial)?;
        fill(&partial)?;
        remove(&home)?;
        fs::rename(&partial, &home).with_context(|| format!("cannot move {}", partial.display()))?;
    }
    Ok(program)
}

fn remove(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn an_interrupted_installation_is_repeated_and_a_complete_one_is_not() {
        let tools = tempfile::tempdir().unwrap();
        let tools = tools.path();
        let install = |fill: fn(&Path) -> Result<()>| install_in(tools, "tool-1.0", "tool", fill);

        let interrupted = install(|home| {
            fs::create_dir_all(home.join("bin"))?;
            fs::write(home.join("bin/half"), "")?;
            bail!("the network is gone")
        });
        assert_eq!(interrupted.unwrap_err().to_string(), "the network is gone");
        assert!(!tools.join("tool-1.0").exists(), "what is not complete has no final name");

        let path = install(|home| {
            assert!(!home.exists(), "what an interrupted installation left is gone");
            fs::create_dir_all(home.join("bin"))?;
            Ok(fs::write(home.join("bin").join(format!("tool{}", std::env::consts::EXE_SUFFIX)), "")?)
        });
        assert!(path.unwrap().exists());
        install(|_| bail!("it is installed already")).unwrap();
    }
}
