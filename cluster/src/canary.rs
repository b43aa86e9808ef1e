//! Canaries: secrets made to be looked for, and the search for them in every form they could leak in.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

use crate::rng::Rng;

/// The largest file that is searched; state and logs of a proof are far smaller.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// A secret made to be looked for.
#[derive(Clone, Debug)]
pub struct Canary {
    /// What it stands for.
    pub name: &'static str,
    /// The secret: 64 characters that a header may carry.
    pub value: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

/// A place where a canary was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Which canary.
    pub canary: &'static str,
    /// In which form.
    pub form: &'static str,
    /// Where.
    pub place: String,
}

impl Canary {
    /// A fresh canary. It has characters that URL encoding, JSON and base64 each change.
    pub fn new(name: &'static str, rng: &mut Rng) -> Self {
        Self::of(name, format!("canary/+{}=&{}", rng.hex(26), rng.hex(28)))
    }

    /// A canary of a given value, such as a token that the gateway made.
    pub fn of(name: &'static str, value: String) -> Self {
        let mut forms = vec![
            ("plain", value.clone().into_bytes()),
            ("hexadecimal", hex(value.as_bytes()).into_bytes()),
            ("upper-case hexadecimal", hex(value.as_bytes()).to_uppercase().into_bytes()),
            ("url-encoded", url_encoded(&value).into_bytes()),
        ];
        // Base64 of a text that stands at any of three alignments inside another: the characters that depend only on it.
        for skip in 0..3 {
            let inner = &value.as_bytes()[skip..];
            let whole = &inner[..inner.len() / 3 * 3];
            forms.push(("base64", STANDARD_NO_PAD.encode(whole).into_bytes()));
            forms.push(("url-safe base64", URL_SAFE_NO_PAD.encode(whole).into_bytes()));
        }
        Self { name, value, forms }
    }

    /// Looks for the canary in `bytes`.
    pub fn find(&self, bytes: &[u8], place: &str) -> Option<Sighting> {
        let found = self.forms.iter().find(|(_, form)| contains(bytes, form))?;
        Some(Sighting { canary: self.name, form: found.0, place: place.to_owned() })
    }
}

/// Looks for canaries in every file below `dir`; answers what was found and how many files were read.
pub fn search_tree(dir: &Path, canaries: &[Canary]) -> Result<(Vec<Sighting>, usize)> {
    let (mut found, mut read, mut waiting) = (Vec::new(), 0, vec![dir.to_owned()]);
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(&dir)? {
            let path: PathBuf = entry?.path();
            let about = fs::symlink_metadata(&path)?;
            if about.is_dir() {
                waiting.push(path);
            } else if about.is_file() {
                anyhow::ensure!(about.len() <= MAX_FILE_BYTES, "{} is too large to search", path.display());
                let bytes = fs::read(&path)?;
                read += 1;
                found.extend(
                    canaries.iter().filter_map(|canary| canary.find(&bytes, &path.display().to_string())),
                );
            }
        }
    }
    Ok((found, read))
}

fn contains(bytes: &[u8], form: &[u8]) -> bool {
    let Some(first) = form.first() else { return false };
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| byte == first) {
        if bytes[from + at..].starts_with(form) {
            return true;
        }
        from += at + 1;
    }
    false
}

/// `bytes` as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `text` with everything but unreserved characters (RFC 3986, section 2.3) percent-encoded.
pub fn url_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_in_every_form_and_at_every_alignment() {
        let canary = Canary::new("test", &mut Rng::new(7));
        for pad in ["", "x", "xy"] {
            let encoded = STANDARD_NO_PAD.encode(format!("{pad}{}tail", canary.value));
            assert!(canary.find(encoded.as_bytes(), "here").is_some(), "behind {} bytes", pad.len());
        }
        for text in [canary.value.clone(), hex(canary.value.as_bytes()), url_encoded(&canary.value)] {
            assert!(canary.find(format!("before {text} after").as_bytes(), "here").is_some());
        }
        assert_eq!(canary.find(b"canary/+ but another", "here"), None);
    }
}
