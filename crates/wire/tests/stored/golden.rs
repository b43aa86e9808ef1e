//! Golden bytes: what a version wrote is what this version writes, and reads.
//!
//! The files of a version are written when it is born (`WRITE_GOLDEN=1 cargo test -p wire` writes those that are missing,
//! and their lines in the MANIFEST) and are never edited after. If a test here fails, the code is wrong.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use authority::command::Body;
use sha2::{Digest, Sha256};
use wire::{entry, event, head, record, snapshot, version};

use crate::cases;

/// Compares `bytes` with those of the file, which is missing only while its version is being made.
fn check(message: &str, version: u32, case: &str, bytes: &[u8]) {
    let name = format!("{message}_v{version}/{case}.bin");
    let path = folder().join(&name);
    if !path.exists() && std::env::var_os("WRITE_GOLDEN").is_some() {
        add(&name, &path, bytes);
    }
    let golden = fs::read(&path).unwrap_or_else(|error| {
        panic!("{name}: {error}; a new message gets its bytes with `WRITE_GOLDEN=1 cargo test -p wire`")
    });
    assert!(golden == bytes, "{name}: this version writes other bytes, which older nodes cannot read");
}

fn add(name: &str, path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
    fs::write(path, bytes).expect("the file can be written");
    let mut line = Sha256::digest(bytes).iter().fold(String::new(), |mut sum, byte| {
        write!(sum, "{byte:02x}").expect("a String takes every write");
        sum
    });
    writeln!(line, "  {name}").expect("a String takes every write");
    let manifest = folder().join("MANIFEST");
    let mut manifest = OpenOptions::new().append(true).create(true).open(manifest).expect("it opens");
    // One write for the whole line: the tests of this file run at the same time.
    manifest.write_all(line.as_bytes()).expect("the manifest can be written");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

#[test]
fn bytes_of_every_version_still_read() {
    for folder in
        fs::read_dir(folder()).expect("it is there").map(|entry| entry.expect("it can be listed").path())
    {
        let Some((message, _)) = folder.file_name().and_then(|name| name.to_str()?.split_once("_v")) else {
            continue; // the manifest
        };
        for file in
            fs::read_dir(&folder).expect("it is there").map(|entry| entry.expect("it can be listed").path())
        {
            let bytes = fs::read(&file).expect("it can be read");
            let failed = match message {
                "entry" => entry::decode(&bytes).err().map(|error| error.to_string()),
                "event" => event::decode(&bytes).err().map(|error| error.to_string()),
                "record" => record::decode(&bytes).err().map(|error| error.to_string()),
                "head" => head::decode(&bytes).err().map(|error| error.to_string()),
                "snapshot" => snapshot::read(&mut &*bytes).err().map(|error| error.to_string()),
                other => Some(format!("nothing reads {other}")),
            };
            assert_eq!(failed, None, "{}", file.display());
        }
    }
}

#[test]
fn every_command_is_written_and_read_as_ever() {
    let bodies = cases::bodies();
    let named: BTreeSet<_> = bodies.iter().map(Body::name).collect();
    assert_eq!(named, Body::NAMES.into_iter().collect(), "each command has a case");
    for body in bodies {
        let name = body.name();
        let commands = vec![cases::command(body)];
        check("entry", version::ENTRY, name, &entry::encode(&commands));
        assert_eq!(entry::decode(&entry::encode(&commands)), Ok(commands));
    }
    let all: Vec<_> = cases::bodies().into_iter().map(cases::command).collect();
    check("entry", version::ENTRY, "all_in_one", &entry::encode(&all));
    assert_eq!(entry::decode(&entry::encode(&all)), Ok(all));
    check("entry", version::ENTRY, "empty", &entry::encode(&[]));
}

#[test]
fn every_event_is_written_and_read_as_ever() {
    for happened in cases::events() {
        let bytes = event::encode(&happened);
        check("event", version::EVENT, happened.event.kind(), &bytes);
        assert_eq!(event::decode(&bytes), Ok(happened));
    }
}

#[test]
fn every_record_is_written_and_read_as_ever() {
    for (name, record) in cases::records() {
        let bytes = record::encode(&record);
        check("record", version::RECORD, name, &bytes);
        assert_eq!(record::decode(&bytes), Ok(record));
    }
}

#[test]
fn a_head_is_written_and_read_as_ever() {
    for (name, value) in [("full", cases::head()), ("empty", authority::archive::Head::empty())] {
        check("head", version::HEAD, name, &head::encode(&value));
        assert_eq!(head::decode(&head::encode(&value)), Ok(value));
    }
}

#[test]
fn a_snapshot_is_written_and_read_as_ever() {
    for (name, parts) in [("full", cases::parts()), ("empty", authority::snapshot::Parts::default())] {
        let mut bytes = Vec::new();
        snapshot::write(&parts, &mut bytes).expect("a vector takes every write");
        check("snapshot", version::SNAPSHOT, name, &bytes);
        assert_eq!(snapshot::read(&mut &*bytes).expect("a snapshot"), parts);
    }
}
