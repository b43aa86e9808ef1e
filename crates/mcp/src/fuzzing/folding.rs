//! A model of the loosest decoders in use: keys match without regard to case, and the last one wins.
//!
//! Go's `encoding/json` does this, with Unicode's simple case folding. The model keeps objects as lists of pairs, so
//! that duplicates survive for the last to win, and folds in its own way, independently of the code under test.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value as such a decoder sees it; only what is compared is kept.
pub(super) enum Loose {
    Text(String),
    Object(Vec<(String, Loose)>),
    Other,
}

impl Loose {
    /// The member that the decoder would bind to a field named `field`.
    pub(super) fn get(&self, field: &str) -> Option<&Loose> {
        let Loose::Object(members) = self else { return None };
        members.iter().rev().find(|(key, _)| simple_fold(key) == simple_fold(field)).map(|(_, value)| value)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Loose::Text(text) => Some(text),
            Loose::Object(_) | Loose::Other => None,
        }
    }

    /// How many members the object has.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Loose::Object(members) => Some(members.len()),
            Loose::Text(_) | Loose::Other => None,
        }
    }
}

/// Go's `foldName`: each character to the smallest of its simple case-folding orbit.
fn simple_fold(key: &str) -> String {
    let fold = |character: char| match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => {
            let mut lower = other.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(single), None) => single,
                _ => other,
            }
        }
    };
    key.chars().map(fold).collect()
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Loose, A::Error> {
        while elements.next_element::<Loose>()?.is_some() {}
        Ok(Loose::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Loose, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = entries.next_entry()? {
            members.push(member);
        }
        Ok(Loose::Object(members))
    }
}
