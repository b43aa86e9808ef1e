//! Opening a log: recover, begin the epoch, start the threads.
//!
//! What must stay true: when a log is open, the first record of its epoch is durable, whatever the durability; so no
//! two starts ever write the same epoch, and the next one knows where this one began.

use std::{sync::Arc, thread};

use authority::{
    node::{Epoch, Id},
    record::{Body, EpochStarted, Seq},
    time::Wall,
};
use seams::{
    clock::SharedClock,
    disk::{Disk, DiskFile},
};

use crate::{
    chain::NO_RECORD,
    config::{Config, Durability},
    error::OpenFailed,
    frame,
    group::{Group, Stamp, Tail},
    newest::Newest,
    preface::Preface,
    recovery::{Recovered, Recovery, disk_failed, recover},
    segment::{Name, Segment},
    shared::Shared,
    syncer::Syncer,
    writer::Writer,
};

/// Opens the log and starts its threads.
pub(crate) fn open(
    config: Config,
    disk: Arc<dyn Disk>,
    clock: SharedClock,
    edge: Id,
    epoch: Epoch,
) -> Result<(Arc<Shared>, Recovery), OpenFailed> {
    check(&config)?;
    let dir = config.dir.clone();
    disk.create_dir_all(&dir).map_err(|source| disk_failed("make the directory", &dir, source))?;
    let mut recovered = recover(&*disk, &dir, edge)?;
    if let Some(found) = recovered.newest_epoch.filter(|found| *found >= epoch) {
        return Err(OpenFailed::EpochNotNewer { epoch, found });
    }
    let outcome_unknown: Vec<Seq> = recovered.open.iter().copied().collect();
    let stamp = Stamp { edge, epoch, time: Wall(clock.wall_millis()) };
    let (file, segment) = begin_epoch(&*disk, &config, stamp, &recovered, &outcome_unknown)?;
    let started = segment.last.expect("the segment begins with the first record of the epoch");
    let recovery =
        Recovery { previous: recovered.last, cut_bytes: recovered.cut_bytes, outcome_unknown, started };
    let durability = config.durability;
    let mut segments = std::mem::take(&mut recovered.segments);
    segments.push(segment.clone());
    let shared = Arc::new(Shared::new(config, disk, clock, segments, started));
    let syncer = match durability {
        Durability::Synced => None,
        Durability::Written => {
            let file = shared.disk.open_append(&segment.path);
            Some(start_syncer(&shared, file.map_err(|source| disk_failed("open", &segment.path, source))?)?)
        }
    };
    let tail = Tail { seq: Seq(started.seq), hash: started.hash };
    let newest = Newest::new(Arc::clone(&shared), file, segment, tail, syncer);
    let writer = Writer::new(Arc::clone(&shared), newest);
    let thread = thread::Builder::new().name("wal-writer".into());
    thread.spawn(move || writer.run()).map_err(OpenFailed::Thread)?;
    Ok((shared, recovery))
}

fn check(config: &Config) -> Result<(), OpenFailed> {
    let what = if config.reserve_bytes >= config.max_bytes {
        "the reserve leaves nothing of the log for calls"
    } else if config.segment_bytes == 0 || config.segment_bytes > crate::config::MAX_SEGMENT_BYTES / 2 {
        "a segment has between 1 byte and 512 MiB"
    } else {
        return Ok(());
    };
    Err(OpenFailed::Config { what })
}

/// Writes the first segment of the epoch, with its first record. Durable when it returns.
fn begin_epoch(
    disk: &dyn Disk,
    config: &Config,
    stamp: Stamp,
    recovered: &Recovered,
    outcome_unknown: &[Seq],
) -> Result<(Box<dyn DiskFile>, Segment), OpenFailed> {
    let last = recovered.last;
    let preface = Preface { edge: stamp.edge, after: last, open: Vec::new() };
    let mut bytes = Vec::new();
    frame::push(&mut bytes, &preface.encode());
    let mut group = Group::new(stamp, Tail { seq: Seq(0), hash: last.map_or(NO_RECORD, |last| last.hash) });
    let body = Body::EpochStarted(EpochStarted {
        previous_epoch: last.map(|last| last.epoch),
        previous_seq: Seq(last.map_or(0, |last| last.seq)),
        cut_bytes: recovered.cut_bytes,
        outcome_unknown: outcome_unknown.to_vec(),
    });
    group.add(body, u64::MAX).expect("open intents are bounded, so that the record that names them fits");
    let offset = bytes.len() as u64;
    bytes.extend_from_slice(&group.bytes);

    let mut segment = Segment::new(Name { epoch: stamp.epoch, first: Seq(1) }, &config.dir, last);
    let failed = |action, source| disk_failed(action, &segment.path, source);
    let mut file = disk.create_new(&segment.path).map_err(|source| failed("create", source))?;
    file.append(&bytes).map_err(|source| failed("write", source))?;
    file.sync().map_err(|source| failed("sync", source))?;
    disk.sync_dir(&config.dir).map_err(|source| disk_failed("sync", &config.dir, source))?;
    segment.written = bytes.len() as u64;
    segment.synced = segment.written;
    segment.last = Some(group.position());
    segment.note(Seq(1), offset);
    Ok((file, segment))
}

fn start_syncer(shared: &Arc<Shared>, file: Box<dyn DiskFile>) -> Result<Arc<Syncer>, OpenFailed> {
    let syncer = Arc::new(Syncer::new(file));
    let thread = thread::Builder::new().name("wal-syncer".into());
    let (works, on) = (Arc::clone(&syncer), Arc::clone(shared));
    thread.spawn(move || works.run(&on)).map_err(OpenFailed::Thread)?;
    Ok(syncer)
}
