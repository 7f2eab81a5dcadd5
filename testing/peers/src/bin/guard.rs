//! Counts instructions: `peers-guard check`, `peers-guard write REASON`, and for itself `peers-guard run CASE TIMES`.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Result, bail};
use peers::guard;

#[expect(clippy::print_stderr, reason = "whoever runs the check has to see what failed")]
fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = match words.as_slice() {
        ["check"] => guard::check()?,
        ["write", reason] => guard::write(reason)?,
        ["run", case, times] => return guard::run(case, times.parse()?),
        _ => bail!("usage: peers-guard check | write REASON"),
    };
    Ok(writeln!(std::io::stdout(), "{said}")?)
}
