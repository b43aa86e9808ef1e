//! Which data directories a node takes for its own.

use std::fs;

use super::*;
use crate::{LockFailed, NotRecognised};

#[tokio::test]
async fn an_empty_directory_without_a_cluster_to_found_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let refused = start(Config { cluster: None, ..config(dir.path()) }).await;
    assert!(matches!(refused, Err(OpenFailed::NotRecognised(NotRecognised::Empty))));
}

#[tokio::test]
async fn a_directory_in_use_is_refused() {
    let node = Node::founded().await;
    let refused = start(config(node.dir.path())).await;
    assert!(matches!(refused, Err(OpenFailed::Lock(LockFailed::Held { .. }))));
    node.stopped().await;
}

#[tokio::test]
async fn the_directory_of_another_node_or_cluster_is_refused() {
    let dir = Node::founded().await.stopped().await;
    let refused = start(Config { node: node::Id(2), ..config(dir.path()) }).await;
    assert!(matches!(refused, Err(OpenFailed::NotRecognised(NotRecognised::OtherNode { .. }))));
    let other = Some(Name::parse("other").expect("a name"));
    let refused = start(Config { cluster: other, ..config(dir.path()) }).await;
    assert!(matches!(refused, Err(OpenFailed::NotRecognised(NotRecognised::OtherCluster { .. }))));
}

/// A35 in part: a node whose log was wiped, or exchanged for that of another directory, does not come back.
#[tokio::test]
async fn a35_a_wiped_or_exchanged_log_is_refused() {
    let (dir, other) = (Node::founded().await.stopped().await, Node::founded().await.stopped().await);
    let log = |dir: &TempDir| dir.path().join("log");
    fs::remove_dir_all(log(&dir)).expect("it is removed");
    let refused = start(config(dir.path())).await;
    assert!(matches!(refused, Err(OpenFailed::NotRecognised(NotRecognised::PutTogether))));
    // Both were drawn from the same seed, so make the other directory another one.
    let identity = fs::read_to_string(other.path().join("identity")).expect("it is read");
    let digits = identity.trim_end().rsplit_once(' ').expect("it ends in digits").1;
    let exchanged = identity.replace(digits, &"0".repeat(digits.len()));
    fs::write(other.path().join("identity"), exchanged).expect("it is written");
    let refused = start(config(other.path())).await;
    assert!(matches!(refused, Err(OpenFailed::NotRecognised(NotRecognised::PutTogether))));
}

#[tokio::test]
async fn a_lost_identity_file_is_not_made_up() {
    let dir = Node::founded().await.stopped().await;
    fs::remove_file(dir.path().join("identity")).expect("it is removed");
    let refused = start(config(dir.path())).await;
    assert!(matches!(refused, Err(OpenFailed::NotRecognised(NotRecognised::PutTogether))));
}

/// A crash after the identity is in the log and before it is in its file; the next start finishes the founding.
#[tokio::test]
async fn a_founding_that_was_interrupted_is_finished() {
    let dir = tempfile::tempdir().expect("a directory");
    let disk: SharedDisk = Arc::new(SystemDisk);
    let (log, thread, _) = log_store::open(dir.path().join("log"), disk).await.expect("a new log");
    let identity = crate::identity::Identity {
        node: node::Id(1),
        cluster: Name::parse("test").expect("a name"),
        directory: [9; 16],
    };
    log.save_identity(identity.clone()).await.expect("it is saved");
    thread.close().await;
    let node = Node::open(dir, |config| config).await.expect("the founding is finished");
    assert_eq!(node.kinds(), ["cluster.founded"]);
    let written = fs::read_to_string(node.dir.path().join("identity")).expect("it is read");
    assert_eq!(written, identity.to_text());
    node.stopped().await;
}
