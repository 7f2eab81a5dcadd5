use std::{
    cell::{Cell, RefCell},
    fmt::{self, Write},
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};
use tracing_core::span::Current;

/// Everything that is logged on this thread, by way of `tracing` and of `log`, at every level.
pub struct Log {
    text: Arc<Mutex<String>>,
    _guard: DefaultGuard,
}

impl Log {
    pub fn capture() -> Self {
        let text = Arc::<Mutex<String>>::default();
        let guard = tracing::subscriber::set_default(Recorder::new(&text));
        // Another test of this process may have been first.
        let _ = log::set_logger(&OfThread);
        log::set_max_level(log::LevelFilter::Trace);
        OF_THREAD.set(Some(Arc::clone(&text)));
        Self { text, _guard: guard }
    }

    /// Everything that is logged on the calling thread too, until that ends.
    pub fn attach(text: &Arc<Mutex<String>>) {
        std::mem::forget(tracing::subscriber::set_default(Recorder::new(text)));
    }

    pub fn shared(&self) -> Arc<Mutex<String>> {
        Arc::clone(&self.text)
    }

    pub fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        OF_THREAD.set(None);
    }
}

/// Runs what the test's own server does: that it uses the same library does not count.
pub async fn unheard<F: Future>(work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|cx| {
        UNHEARD.set(true);
        let polled = work.as_mut().poll(cx);
        UNHEARD.set(false);
        polled
    })
    .await
}

thread_local! {
    static UNHEARD: Cell<bool> = const { Cell::new(false) };
    static OF_THREAD: RefCell<Option<Arc<Mutex<String>>>> = const { RefCell::new(None) };
}

/// The logger of the process, which writes to the log of the thread that it is called on.
struct OfThread;

impl log::Log for OfThread {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let write = |text: &Arc<Mutex<String>>| {
            writeln!(text.lock().unwrap(), "{} {} {}", record.level(), record.target(), record.args()).unwrap();
        };
        if !UNHEARD.get() {
            let _ = OF_THREAD.try_with(|text| text.borrow().as_ref().map(write));
        }
    }

    fn flush(&self) {}
}

struct Recorder {
    text: Arc<Mutex<String>>,
    /// What the spans contain; the number of one is its place, counted from 1.
    spans: Mutex<Vec<(String, &'static Metadata<'static>)>>,
    entered: Mutex<Vec<u64>>,
}

impl Recorder {
    fn write(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
        let mut line = Line(format!("{} {}", metadata.level(), metadata.target()));
        record(&mut line);
        writeln!(self.text.lock().unwrap(), "{}", line.0).unwrap();
    }

    fn new(text: &Arc<Mutex<String>>) -> Self {
        Self { text: Arc::clone(text), spans: Mutex::default(), entered: Mutex::default() }
    }

    /// What the span contains that is entered now.
    fn span(&self) -> String {
        let entered = self.entered.lock().unwrap();
        let place = entered.last().map(|id| *id as usize - 1);
        place.map_or_else(String::new, |place| self.spans.lock().unwrap()[place].0.clone())
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(format!(" in {}", span.metadata().name()));
        span.record(&mut line);
        let mut spans = self.spans.lock().unwrap();
        spans.push((line.0, span.metadata()));
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let span = self.span();
        self.write(event.metadata(), |line| {
            event.record(line);
            line.0.push_str(&span);
        });
    }

    fn current_span(&self) -> Current {
        let entered = self.entered.lock().unwrap();
        entered.last().map_or_else(Current::none, |id| {
            Current::new(Id::from_u64(*id), self.spans.lock().unwrap()[*id as usize - 1].1)
        })
    }

    fn enter(&self, id: &Id) {
        self.entered.lock().unwrap().push(id.into_u64());
    }

    fn exit(&self, _: &Id) {
        self.entered.lock().unwrap().pop();
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}
