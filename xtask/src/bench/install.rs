//! The peers, each at a fixed version, in the ignored folder `.tools/peers/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::{command, run, say};
use crate::workspace;

/// Installs what is not there yet. A peer that cannot be installed is left out and named; it fails nothing.
pub(super) fn peers() {
    let kinds: [(&str, Install); 3] = [("pusher-js", npm), ("python", pip), ("java", maven)];
    for (name, install) in kinds {
        let peer = Peer::new(name);
        if let Err(error) = peer.install(install) {
            say(&format!("left out: {name}: {error:#}"));
        }
    }
}

type Install = fn(&Peer) -> Result<()>;

/// A folder of `testing/peers/runners/`, and where it is installed.
struct Peer {
    source: PathBuf,
    home: PathBuf,
}

impl Peer {
    fn new(name: &str) -> Self {
        let root = workspace::root();
        Self { source: root.join("testing/peers/runners").join(name), home: root.join(".tools/peers").join(name) }
    }

    /// Does nothing when the very same sources were installed completely.
    fn install(&self, install: Install) -> Result<()> {
        let stamp = self.home.join(".installed");
        let sources = self.sources()?;
        if fs::read(&stamp).is_ok_and(|installed| installed == sources) {
            return Ok(());
        }
        if self.home.exists() {
            fs::remove_dir_all(&self.home)?;
        }
        fs::create_dir_all(&self.home)?;
        for file in files(&self.source)? {
            let name = file.file_name().context("a file has a name")?;
            fs::copy(&file, self.home.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
        }
        install(self)?;
        fs::write(&stamp, sources).with_context(|| format!("cannot write {}", stamp.display()))
    }

    fn sources(&self) -> Result<Vec<u8>> {
        let mut sources = Vec::new();
        for file in files(&self.source)? {
            sources.extend(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
        }
        Ok(sources)
    }

    fn path(&self, name: &str) -> String {
        self.home.join(name).to_string_lossy().into_owned()
    }
}

fn npm(peer: &Peer) -> Result<()> {
    run(command("npm").current_dir(&peer.home).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]))
}

fn pip(peer: &Peer) -> Result<()> {
    run(command("python3").args(["-m", "venv", &peer.path("")]))?;
    let python = peer.path("bin/python");
    run(command(&python).args(["-m", "pip", "install", "--quiet", "--requirement", &peer.path("requirements.txt")]))
}

fn maven(peer: &Peer) -> Result<()> {
    let copy = ["--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=lib"];
    run(command("mvn").current_dir(&peer.home).args(copy))?;
    run(command("javac").current_dir(&peer.home).args(["-cp", "lib/*", "PusherJavaClient.java"]))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
