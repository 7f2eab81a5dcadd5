//! Files that arguments name.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use vms_pusher::Tls;

use crate::failure::{Exit, Failure};

/// Reads a whole file, or stdin for `-`.
pub(crate) fn read_bytes(option: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    read(path).map_err(|error| {
        Failure::new(Exit::Other, format!("cannot read {} ({option}): {error}", path.display()))
            .tip("does the file exist, and do you have permission to read it?")
    })
}

/// The same for a file that holds a secret. Its name is shown only if there is such a file: it may be the secret itself,
/// given in the place of a file.
pub(super) fn read_secret(option: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") || path.symlink_metadata().is_ok() {
        return read_bytes(option, path);
    }
    read(path).map_err(|error| {
        Failure::new(Exit::Other, format!("cannot read the file of {option}: {error}"))
            .tip(format!("{option} takes the name of a file; what was given is not shown, as it may be a secret"))
    })
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().take(MAX_BYTES).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    }
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
            Failure::usage(format!("--ca {}: {error}", file.display())).tip("it takes certificates in PEM form")
        })?;
        pem.extend(text);
        pem.push(b'\n');
    }
    Tls::with_extra_roots_pem(&pem).map_err(|error| Failure::usage(format!("--ca: {error}")))
}

/// More than any file that makes sense here; a device that never ends must not fill the memory.
const MAX_BYTES: u64 = 16 << 20;
