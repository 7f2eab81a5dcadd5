//! Files that arguments name.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use vms_pusher::Tls;

use crate::failure::{Exit, Failure};

/// Reads a whole file, or stdin for `-`.
pub(crate) fn read_bytes(option: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(MAX_BYTES).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
    };
    read.map_err(|error| {
        Failure::new(Exit::Other, format!("cannot read {} ({option}): {error}", path.display()))
            .tip("does the file exist, and may you read it?")
    })?;
    Ok(bytes)
}

/// The platform's verification of certificates, with the roots in these files added.
pub(crate) fn tls(files: &[PathBuf]) -> Result<Tls, Failure> {
    if files.is_empty() {
        return Ok(Tls::platform());
    }
    let mut pem = Vec::new();
    for file in files {
        let text = read_bytes("--ca", file)?;
        // Each on its own first, so that the error names the file.
        Tls::with_extra_roots_pem(&text).map_err(|error| {
            Failure::usage(format!("--ca {}: {error}", file.display())).tip("it takes certificates as PEM text")
        })?;
        pem.extend(text);
        pem.push(b'\n');
    }
    Tls::with_extra_roots_pem(&pem).map_err(|error| Failure::usage(format!("--ca: {error}")))
}

/// More than any file that makes sense here; a device that never ends must not fill the memory.
const MAX_BYTES: u64 = 16 << 20;
