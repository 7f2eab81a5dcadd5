//! Everything that is logged in this process, by us or by a dependency, at any level.

use std::fmt::{self, Write as _};
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Level, Metadata, Subscriber};

/// One line of a log, or the fields of a span.
#[derive(Debug, Clone)]
pub struct LogRecord {
    /// How important it is.
    pub level: Level,
    /// Who wrote it.
    pub target: String,
    /// Everything that it says.
    pub text: String,
    /// Whether it is a span, whose level says down to which level of lines it is shown with them.
    pub is_span: bool,
}

/// The log of this process, kept in memory from the first call on.
#[derive(Default)]
pub struct ProcessLog {
    records: Mutex<Vec<LogRecord>>,
    on_record: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl ProcessLog {
    /// Starts to keep what is logged by way of `tracing` and of `log`, at every level. Once a process.
    #[must_use]
    pub fn start() -> &'static Self {
        static LOG: OnceLock<ProcessLog> = OnceLock::new();
        let log = LOG.get_or_init(Self::default);
        tracing::subscriber::set_global_default(TracingSide(log)).expect("the first subscriber of this process");
        log::set_logger(log).expect("the first logger of this process");
        log::set_max_level(log::LevelFilter::Trace);
        log
    }

    /// Has `callback` run whenever something is logged, on the thread that logs it.
    pub fn on_record(&self, callback: impl Fn() + Send + Sync + 'static) {
        assert!(self.on_record.set(Box::new(callback)).is_ok(), "one callback a process");
    }

    /// Everything so far.
    #[must_use]
    pub fn records(&self) -> Vec<LogRecord> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, level: Level, target: &str, text: String) {
        self.keep_record(LogRecord { level, target: target.to_owned(), text, is_span: false });
    }

    fn keep_record(&self, record: LogRecord) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        if let Some(callback) = self.on_record.get() {
            callback();
        }
    }
}

impl fmt::Debug for ProcessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessLog").finish_non_exhaustive()
    }
}

impl log::Log for ProcessLog {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let level = match record.level() {
            log::Level::Error => Level::ERROR,
            log::Level::Warn => Level::WARN,
            log::Level::Info => Level::INFO,
            log::Level::Debug => Level::DEBUG,
            log::Level::Trace => Level::TRACE,
        };
        self.keep(level, record.target(), record.args().to_string());
    }

    fn flush(&self) {}
}

/// The side of the log that `tracing` writes to.
struct TracingSide(&'static ProcessLog);

impl Subscriber for TracingSide {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut text = Text::default();
        span.record(&mut text);
        let (level, target) = (*span.metadata().level(), span.metadata().target().to_owned());
        self.0.keep_record(LogRecord { level, target, text: text.0, is_span: true });
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut text = Text::default();
        values.record(&mut text);
        self.0.keep(Level::TRACE, "span", text.0);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        self.0.keep(*event.metadata().level(), event.metadata().target(), text.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{field}={value:?} ").expect("a string takes all");
    }
}
