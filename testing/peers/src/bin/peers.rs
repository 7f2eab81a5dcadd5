//! Runs the benchmarks: `peers [--quick] [--only NAME] [--no-peers] [--write]`. `cargo xtask bench` builds and installs
//! what it needs, and starts it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use peers::measures::{Bench, Effort};
use peers::report::{Baseline, Report};
use peers::resources::machine;
use peers::runner::Programs;

#[expect(clippy::print_stderr, reason = "whoever runs the benchmark has to see what failed")]
fn main() -> ExitCode {
    match Arguments::parse().and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Arguments {
    quick: bool,
    no_peers: bool,
    write: bool,
    only: Option<String>,
}

impl Arguments {
    fn parse() -> Result<Self> {
        let mut arguments = Self::default();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => arguments.quick = true,
                "--no-peers" => arguments.no_peers = true,
                "--write" => arguments.write = true,
                "--only" => arguments.only = Some(words.next().context("--only needs the name of a section")?),
                other => bail!("{other} is unknown; there are --quick, --only NAME, --no-peers and --write"),
            }
        }
        // Part of the figures, or rough ones, are not to take the place of all.
        if arguments.write && (arguments.quick || arguments.no_peers || arguments.only.is_some()) {
            bail!("--write takes a whole run");
        }
        Ok(arguments)
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let binaries = std::env::current_exe()?.parent().map(PathBuf::from).context("no folder")?;
    let programs = Programs { binaries, peers: root.join(".tools/peers") };
    let effort = if arguments.quick { Effort::QUICK } else { Effort::FULL };
    let bench = Bench::new(programs, effort, !arguments.no_peers)?;
    let mut report = bench.run(arguments.only.as_deref(), |section| print(&section.text()))?;
    report.facts = facts(&root);
    let file = root.join("docs/performance.json");
    let baseline = Baseline::read(&file)?;
    print(&report.closing(baseline.as_ref()));
    if arguments.write {
        write(&report, &root)?;
    }
    Ok(())
}

/// Machine and versions; the versions are those that the installed packages name.
fn facts(root: &Path) -> Vec<(String, String)> {
    let mut facts = vec![("machine".to_owned(), machine())];
    let tools = [("rustc", "--version"), ("node", "--version"), ("java", "--version"), ("python3", "--version")];
    for (program, argument) in tools {
        if let Ok(output) = std::process::Command::new(program).arg(argument).output() {
            let text = String::from_utf8_lossy(&output.stdout);
            facts.push((program.to_owned(), text.lines().next().unwrap_or_default().to_owned()));
        }
    }
    for (name, file, before) in PINS {
        let text = std::fs::read_to_string(root.join("testing/peers/runners").join(file)).unwrap_or_default();
        if let Some((_, version)) = text.split_once(before) {
            let is_version = |letter: &char| letter.is_ascii_digit() || *letter == '.';
            facts.push((name.to_owned(), version.chars().take_while(is_version).collect()));
        }
    }
    facts
}

fn write(report: &Report, root: &Path) -> Result<()> {
    let docs = root.join("docs");
    std::fs::create_dir_all(&docs)?;
    for plot in report.sections.iter().flat_map(|section| &section.plots) {
        std::fs::write(docs.join(format!("{}.svg", plot.name)), plot.svg())?;
    }
    std::fs::write(docs.join("performance.md"), report.markdown(INTRODUCTION, PROFILES))?;
    Baseline::of(report).write(&docs.join("performance.json"))
}

fn print(text: &str) {
    // Nobody listens any more: the figures are still written.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Where the version of each peer is pinned: the file, and what stands before the version in it.
const PINS: [(&str, &str, &str); 4] = [
    ("pusher-js", "pusher-js/package.json", "\"pusher-js\": \""),
    ("pusher-java-client", "java/pom.xml", "<artifactId>pusher-java-client</artifactId>\n      <version>"),
    ("asyncpusher", "python/requirements.txt", "asyncpusher=="),
    ("pysher", "python/requirements.txt", "Pysher=="),
];

/// Written by hand, when a profile was taken.
const PROFILES: &str = include_str!("../../profiles.md");

const INTRODUCTION: &str = "\
# Performance

What `vms-pusher` costs, beside other clients of the Pusher protocol and beside what the machine could do at best. This page \
is written by

```
cargo xtask bench            # every table; about half an hour on two cores
cargo xtask bench --quick    # to see that everything works; writes nothing
cargo xtask bench --only cpu # one table; writes nothing
```

Absolute figures do not carry to other machines; the ratios do, about. A later run is compared with `performance.json`.

What is sent, unless said otherwise: three messages in rotation on one private channel, 475 bytes a frame on average, `data` \
encoded twice as Pusher servers do: a camera that became a favourite (*small*), a mark with a whole camera in it (*medium*), \
a call with an intercom in it (*intercom*).
";
