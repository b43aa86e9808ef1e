//! A forger: somebody with every file of an archive and full knowledge of its form, but not the signing key.

use std::{
    fs,
    path::{Path, PathBuf},
};

use authority::{archive::Head, record::Record};
use ledger::{
    checkpoint::Checkpoint,
    merkle::Tree,
    segment::{Encoded, Leaf, Segment},
};
use wal::chain::{self, Chain};

use crate::world::{World, cluster_name, signer};

/// The segments of an archive, in the order of their heights, as the forger reads them.
pub struct Forger {
    dir: PathBuf,
    pub segments: Vec<(PathBuf, Segment)>,
}

impl Forger {
    pub fn new(world: &World) -> Self {
        let files = world.files("segments");
        let read =
            |path: &PathBuf| Segment::decode(fs::read(path).expect("it reads").into()).expect("a segment");
        let segments = files
            .into_iter()
            .map(|path| {
                let segment = read(&path);
                (path, segment)
            })
            .collect();
        Self { dir: world.dir.path().to_owned(), segments }
    }

    /// Changes the records of every segment.
    pub fn change_records(&mut self, change: impl Fn(&mut Record)) {
        for (_, segment) in &mut self.segments {
            for leaf in &mut segment.leaves {
                if let Encoded::Record(bytes) = leaf.encoded() {
                    let mut record = wire::record::decode(bytes).expect("a record");
                    change(&mut record);
                    *leaf = Leaf::record(&wire::record::encode(&record));
                }
            }
        }
    }

    /// Makes every record name the one before it again.
    pub fn mend_chain(&mut self) {
        let mut last = chain::NO_RECORD;
        for (_, segment) in &mut self.segments {
            for leaf in &mut segment.leaves {
                if let Encoded::Record(bytes) = leaf.encoded() {
                    let mut record = wire::record::decode(bytes).expect("a record");
                    record.previous = last;
                    let encoded = wire::record::encode(&record);
                    last = chain::hash(&encoded);
                    *leaf = Leaf::record(&encoded);
                }
            }
        }
    }

    /// Makes every segment continue the one before it again, and tells the heads this gives.
    pub fn mend_headers(&mut self) -> Vec<Head> {
        let (mut head, mut tree, mut chain) = (Head::empty(), Tree::new(), None);
        let mut heads = Vec::new();
        for (path, segment) in &mut self.segments {
            segment.header.before = head.clone();
            segment.header.tree = tree.clone();
            for leaf in &segment.leaves {
                tree.append(leaf.bytes());
                match leaf.encoded() {
                    Encoded::Event(bytes) => {
                        head.events_through = wire::event::decode(bytes).expect("an event").number;
                    }
                    Encoded::Record(bytes) => {
                        let record = wire::record::decode(bytes).expect("a record");
                        let chain = chain.get_or_insert_with(|| Chain::new(record.edge));
                        let at = chain.follow(&record, chain::hash(bytes)).expect("the forged chain holds");
                        head.positions = vec![at];
                    }
                }
            }
            let name = path.file_name().expect("a file").to_str().expect("ASCII");
            head.segment = format!("segments/{name}");
            (head.height, head.size, head.root) = (head.height + 1, tree.size(), tree.root());
            heads.push(head.clone());
        }
        heads
    }

    /// Writes the segments back.
    pub fn write(&self) {
        for (path, segment) in &self.segments {
            fs::write(path, segment.encode()).expect("it writes");
        }
    }

    /// Signs checkpoints for `heads` with a key of the forger's own.
    pub fn sign(&self, heads: &[Head]) {
        for head in heads {
            let note = Checkpoint::of(&cluster_name(), head).sign(&signer(2)).expect("a note");
            fs::write(self.checkpoint(head.height), note).expect("it writes");
        }
    }

    pub fn checkpoint(&self, height: u64) -> PathBuf {
        self.dir.join(Path::new(&ledger::store::checkpoint_name(height)))
    }
}
