//! Event names. One that contains an escape, such as the backslashes of a PHP class name, is unescaped once and not
//! with every event.

use std::{ops::Deref, sync::Arc};

use crate::{
    JsonError,
    json::{Value, unescape},
};

/// The name of an event.
#[derive(Clone, Debug)]
pub(crate) enum EventName<'t> {
    /// As it is in the frame.
    Plain(&'t str),
    /// With a text of its own: it had escapes, or its event was kept.
    Owned(Arc<str>),
}

impl EventName<'_> {
    pub(crate) fn into_owned(self) -> EventName<'static> {
        match self {
            Self::Plain(name) => EventName::Owned(name.into()),
            Self::Owned(name) => EventName::Owned(name),
        }
    }
}

impl Deref for EventName<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Plain(name) => name,
            Self::Owned(name) => name,
        }
    }
}

impl PartialEq for EventName<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for EventName<'_> {}

/// The last few names that were unescaped.
#[derive(Debug, Default)]
pub(crate) struct EventNames {
    known: Vec<Known>,
    /// The one to be replaced next.
    oldest: usize,
}

#[derive(Debug)]
struct Known {
    escaped: Box<str>,
    name: Arc<str>,
}

impl EventNames {
    /// Reads a name; `None` when it is not a string.
    pub(crate) fn read<'t>(&mut self, value: Value<'t>) -> Option<Result<EventName<'t>, JsonError>> {
        let (content, is_plain) = value.content()?;
        Some(if is_plain { Ok(EventName::Plain(content)) } else { self.unescape(content).map(EventName::Owned) })
    }

    fn unescape(&mut self, escaped: &str) -> Result<Arc<str>, JsonError> {
        if let Some(known) = self.known.iter().find(|known| *known.escaped == *escaped) {
            return Ok(Arc::clone(&known.name));
        }
        let name: Arc<str> = unescape(escaped)?.into();
        if escaped.len() <= LONGEST {
            let known = Known { escaped: escaped.into(), name: Arc::clone(&name) };
            match self.known.get_mut(self.oldest) {
                Some(oldest) => *oldest = known,
                None => self.known.push(known),
            }
            self.oldest = (self.oldest + 1) % KEPT;
        }
        Ok(name)
    }
}

/// A VMS has three names with escapes.
const KEPT: usize = 4;
/// Longer names, in bytes, are not worth their memory.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Members;

    fn read(names: &mut EventNames, name: &str) -> Result<String, JsonError> {
        let text = format!("{{\"event\":\"{name}\"}}");
        let (_, value) = Members::of(&text, 10).unwrap().next_member().unwrap().unwrap();
        names.read(value).unwrap().map(|name| (*name).to_owned())
    }

    // M14, Y01
    #[test]
    fn a_name_is_the_same_whether_it_was_read_before_or_not_and_few_are_kept() {
        let mut names = EventNames::default();
        for round in 0..3 {
            for number in 0..10 {
                let escaped = format!(r"App\\Events\\Push{number}\u0041");
                assert_eq!(read(&mut names, &escaped).unwrap(), format!(r"App\Events\Push{number}A"), "{round}");
                assert_eq!(read(&mut names, &escaped).unwrap(), format!(r"App\Events\Push{number}A"), "{round}");
            }
            assert_eq!(read(&mut names, "plain").unwrap(), "plain");
        }
        assert_eq!(names.known.len(), KEPT);
        let long = "x".repeat(LONGEST) + r"\\";
        assert_eq!(read(&mut names, &long).unwrap().len(), LONGEST + 1);
        assert!(names.known.iter().all(|known| known.escaped.len() <= LONGEST));
        assert_eq!(read(&mut names, r"\ud800"), Err(JsonError::LoneSurrogate));
    }
}
