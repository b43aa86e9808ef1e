//! What is logged as a warning on this thread while a test runs, so that alerts can be checked field by field.
//!
//! Whether a place logs at all is decided for all threads when it is first reached: every test that raises an alert
//! collects, so that none decides it for those that look.

use std::{fmt, sync::Arc};

use parking_lot::Mutex;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

/// The warnings so far, each as its fields in order. Collects until it is dropped.
pub struct Alerts {
    seen: Arc<Mutex<Vec<Fields>>>,
    _collecting: DefaultGuard,
}

/// Names and values of one event, but for its message.
pub type Fields = Vec<(&'static str, String)>;

struct Collector(Arc<Mutex<Vec<Fields>>>);

#[derive(Default)]
struct Reader(Fields);

impl Alerts {
    /// Begins to collect.
    pub fn collect() -> Self {
        let seen = Arc::<Mutex<Vec<Fields>>>::default();
        let collecting = tracing::subscriber::set_default(Collector(Arc::clone(&seen)));
        Self { seen, _collecting: collecting }
    }

    /// The warnings so far.
    pub fn seen(&self) -> Vec<Fields> {
        self.seen.lock().clone()
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut reader = Reader::default();
        event.record(&mut reader);
        self.0.lock().push(reader.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl Visit for Reader {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "message" {
            self.0.push((field.name(), format!("{value:?}")));
        }
    }
}
