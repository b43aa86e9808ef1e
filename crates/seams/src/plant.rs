//! Planted bugs: faults that are put in on purpose, so that a proof can be shown to find them.
//!
//! All of them live in the one second build (`--features planted`, in its own target directory) and are chosen by name
//! at run time. Without the feature [`is_planted`] is the constant `false`, the compiler drops what it guards, and no
//! release build can contain one. The names are listed here and nowhere else.

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// A1: the write-ahead log calls an intent recorded before it wrote it.
    AcknowledgeBeforeWrite,
    /// S1: the upstream's answer is passed on without redaction.
    RedactorOff,
    /// S1: an opened credential is logged.
    SecretLogged,
    /// S2: the client's own `Authorization` is sent to the upstream.
    TokenPassedThrough,
}

/// The environment variable that names the planted bug.
pub const PLANT_VARIABLE: &str = "PORTCULLIS_PLANT";

impl Plant {
    /// Every bug that can be planted.
    pub const ALL: [Self; 4] =
        [Self::AcknowledgeBeforeWrite, Self::RedactorOff, Self::SecretLogged, Self::TokenPassedThrough];

    /// The name by which it is chosen.
    pub fn name(self) -> &'static str {
        match self {
            Self::AcknowledgeBeforeWrite => "acknowledge-before-write",
            Self::RedactorOff => "redactor-off",
            Self::SecretLogged => "secret-logged",
            Self::TokenPassedThrough => "token-passed-through",
        }
    }
}

/// Whether this process runs with `plant`. Always false outside the second build.
#[cfg(not(feature = "planted"))]
#[inline]
pub const fn is_planted(_plant: Plant) -> bool {
    false
}

/// Whether this process runs with `plant`.
#[cfg(feature = "planted")]
pub fn is_planted(plant: Plant) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var(PLANT_VARIABLE).ok()).as_deref() == Some(plant.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(feature = "planted"))]
    #[test]
    fn an_ordinary_build_contains_no_planted_bug() {
        assert!(Plant::ALL.iter().all(|plant| !is_planted(*plant)));
    }

    #[test]
    fn every_planted_bug_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Plant::ALL.iter().map(|plant| plant.name()).collect();
        assert_eq!(names.len(), Plant::ALL.len());
    }
}
