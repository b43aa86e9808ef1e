//! `portcullis audit verify`: whether an archive is what was signed, from its files and a public key.

use std::{path::Path, str::FromStr};

use anyhow::{Context as _, Result};
use keyring::signing::VerifyingKey;
use ledger::{
    checkpoint::Checkpoint,
    store::{Store, VERIFIER},
    verify::{Anchor, Report},
};
use serde_json::{Value, json};

use crate::cli::output::{self, Column, Output};

const COLUMNS: [Column; 7] = [
    ("verified", "verified"),
    ("heads", "heads"),
    ("leaves", "leaves"),
    ("events", "events"),
    ("records", "records"),
    ("from", "from"),
    ("to", "to"),
];

/// Verifies the archive in a directory.
pub async fn run(
    archive: &Path,
    public_key: Option<&Path>,
    checkpoint: Option<&Path>,
    output: Output,
) -> Result<()> {
    let own = archive.join(VERIFIER);
    let path = public_key.unwrap_or(&own);
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("cannot read the public key {}; name it with --public-key", path.display())
    })?;
    let key = VerifyingKey::from_str(text.trim())
        .with_context(|| format!("{} is no public key", path.display()))?;
    let anchor = checkpoint.map(|path| anchor(path, &key)).transpose()?;
    let report = ledger::verify(&Store::open(archive)?, &key, anchor.as_ref())
        .await
        .with_context(|| format!("the archive {} does not verify", archive.display()))?;
    for file in &report.ignored {
        eprintln!("note: {file} belongs to no head and was ignored");
    }
    if public_key.is_none() {
        eprintln!("note: verified with the archive's own key; a copy kept elsewhere would show forgery too");
    }
    if checkpoint.is_none() {
        eprintln!(
            "note: the newest entries could have been taken away unseen; --checkpoint with a kept note would show it"
        );
    }
    output::object(&shown(&report), &COLUMNS, output)
}

/// The head that a kept checkpoint vouches for.
fn anchor(path: &Path, key: &VerifyingKey) -> Result<Anchor> {
    let note =
        std::fs::read(path).with_context(|| format!("cannot read the checkpoint {}", path.display()))?;
    let kept = Checkpoint::verify(&note, key)
        .with_context(|| format!("{} is no checkpoint signed by this key", path.display()))?;
    Ok(Anchor { height: kept.height, root: kept.root })
}

fn shown(report: &Report) -> Value {
    let root: String = report.root.iter().map(|byte| format!("{byte:02x}")).collect();
    let time = |time: Option<authority::time::Wall>| {
        let millis = time.and_then(|time| i64::try_from(time.0).ok());
        let time = millis.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
        time.map(|time| format!("{time:.3}"))
    };
    json!({
        "verified": true,
        "heads": report.height,
        "leaves": report.size,
        "events": report.events,
        "records": report.records,
        "edges": report.edges,
        "from": time(report.from),
        "to": time(report.to),
        "root": root,
        "ignored": report.ignored,
    })
}
