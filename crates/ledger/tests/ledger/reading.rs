//! Reading: every entry once, in the order of its chain, whether the archive holds it or not, while the archive grows.

use std::collections::BTreeSet;

use authority::{grant, grant::TokenHash, record::Body};
use ledger::{
    cursor::Cursor,
    entry::{Content, Entry},
    reader::{Page, Query},
};

use crate::world::World;

fn ids(page: &Page) -> Vec<String> {
    page.entries.iter().map(|(entry, _)| entry.id()).collect()
}

fn is_a_record(entry: &Entry) -> bool {
    matches!(entry.content, Content::Record(_))
}

#[tokio::test]
async fn what_the_archive_does_not_hold_yet_is_marked() {
    let world = World::new();
    world.call("read_file").await;
    world.archive().await;
    world.call("write_file").await;
    let page = world.reader().read(&Query::default(), is_a_record).await.expect("it reads");
    let archived: Vec<_> = page.entries.iter().map(|(entry, _)| entry.archived).collect();
    assert_eq!(archived, [true, true, true, false, false]);
    assert!(page.is_last);
}

/// Pages of any size, taken while entries move from the log into the archive, hold every entry once.
#[tokio::test]
async fn a_cursor_goes_on_without_a_gap_while_the_tail_is_archived() {
    for limit in 1..8 {
        let world = World::new();
        let reader = world.reader();
        let mut archiver = world.archiver();
        let (mut seen, mut after, mut turn) = (Vec::new(), Cursor::start(), 0_u8);
        loop {
            turn += 1;
            if turn < 12 {
                world.call("read_file").await;
                world.cluster.issue(grant::Id([turn; 16]), TokenHash([turn; 32]));
            }
            if turn % 3 == 0 {
                archiver.step().await.expect("it grows");
            }
            let query = Query { after, limit: Some(limit), newest: false };
            let page = reader.read(&query, |_| true).await.expect("it reads");
            seen.extend(ids(&page));
            assert!(page.entries.len() <= limit);
            // Through its text, as a client gives it back.
            after = page.next.to_string().parse().expect("a cursor");
            if page.is_last && turn >= 12 {
                break;
            }
        }
        let once: BTreeSet<_> = seen.iter().collect();
        assert_eq!(once.len(), seen.len(), "pages of {limit}: nothing twice");
        let all = reader.read(&Query::default(), |_| true).await.expect("it reads");
        assert_eq!(ids(&all).into_iter().collect::<BTreeSet<_>>(), seen.into_iter().collect());
    }
}

/// Every entry's own cursor goes on right after it.
#[tokio::test]
async fn a_reader_resumes_after_any_entry() {
    let world = World::new();
    for tool in ["a", "b", "c"] {
        world.call(tool).await;
        world.archive().await;
    }
    world.call("d").await;
    let reader = world.reader();
    let all = reader.read(&Query::default(), |_| true).await.expect("it reads");
    let ids = ids(&all);
    for (at, (_, cursor)) in all.entries.iter().enumerate() {
        let query = Query { after: cursor.clone(), limit: Some(1), newest: false };
        let page = reader.read(&query, |_| true).await.expect("it reads");
        assert_eq!(page.entries.first().map(|(entry, _)| entry.id()).as_ref(), ids.get(at + 1));
    }
}

/// A clock that runs backwards changes times, not the order of a chain: a cursor in the middle loses nothing.
#[tokio::test]
async fn a_clock_that_runs_backwards_loses_no_entry() {
    let world = World::new();
    for millis in [9_000_000, 1_000_000, 8_000_000, 2_000_000] {
        world.clock.set_wall_millis(millis);
        world.call("read_file").await;
        world
            .cluster
            .issue(grant::Id([u8::try_from(millis / 1_000_000).expect("below 10"); 16]), TokenHash([9; 32]));
    }
    let reader = world.reader();
    let (mut seen, mut after) = (0, Cursor::start());
    loop {
        let page = reader
            .read(&Query { after, limit: Some(1), newest: false }, is_a_record)
            .await
            .expect("it reads");
        seen += page.entries.len();
        after = page.next;
        if page.is_last {
            break;
        }
    }
    assert_eq!(seen, 9);
}

#[tokio::test]
async fn the_newest_that_match_come_oldest_first() {
    let world = World::new();
    for tool in ["a", "b", "c", "d"] {
        world.call(tool).await;
        world.archive().await;
    }
    world.call("e").await;
    let reader = world.reader();
    let is_intent = |entry: &Entry| matches!(&entry.content, Content::Record(record) if matches!(record.body, Body::Intent(_)));
    let query = Query { limit: Some(3), newest: true, ..Query::default() };
    let page = reader.read(&query, is_intent).await.expect("it reads");
    let tools: Vec<_> = page.entries.iter().filter_map(|(entry, _)| entry.call()?.target.clone()).collect();
    assert_eq!(tools, ["c", "d", "e"]);
    assert!(page.is_last);
    let behind = Query { after: page.next, ..Query::default() };
    assert_eq!(reader.read(&behind, |_| true).await.expect("it reads").entries.len(), 0);
    let (_, cursor) = &page.entries[0];
    let rest =
        reader.read(&Query { after: cursor.clone(), ..Query::default() }, is_intent).await.expect("it reads");
    assert_eq!(rest.entries.len(), 2);
}

/// An outcome tells whose call it ends, however many segments and restarts of the reader lie between.
#[tokio::test]
async fn an_outcome_finds_its_call_across_segments() {
    let world = World::new();
    let stream = world.intent("watch").await;
    world.wal.flush().await.expect("synced");
    world.archive().await;
    for _ in 0..5 {
        world.call("other").await;
        world.archive().await;
    }
    world.outcome(stream).await;
    let of_the_stream = |entry: &Entry| match &entry.content {
        Content::Record(record) => {
            matches!(&record.body, Body::Outcome(outcome) if outcome.intent == stream)
        }
        Content::Event(_) => false,
    };
    for archived in [false, true] {
        let query = Query { limit: Some(1), newest: true, ..Query::default() };
        let page = world.reader().read(&query, of_the_stream).await.expect("it reads");
        let [(entry, _)] = &page.entries[..] else { panic!("one outcome") };
        assert_eq!(entry.archived, archived);
        assert_eq!(entry.call().and_then(|call| call.target.as_deref()), Some("watch"));
        world.archive().await;
    }
}

#[tokio::test]
async fn a_follower_is_woken_by_records_and_by_changes() {
    let world = World::new();
    let reader = world.reader();
    let end = reader.end().expect("there is a view");
    let before = reader.progress();
    world.call("read_file").await;
    reader.grown(&before).await;
    let before = reader.progress();
    world.cluster.revoke(crate::world::GRANT);
    reader.grown(&before).await;
    let page = reader.read(&Query { after: end, ..Query::default() }, |_| true).await.expect("it reads");
    // An intent, its outcome, the revocation and the answer to its command.
    assert_eq!(page.entries.len(), 4);
}

/// Refused requests of strangers are in the answer at once, although they never cause a sync by themselves.
#[tokio::test]
async fn the_newest_include_refusals_that_were_only_counted_so_far() {
    let world = World::new();
    world.wal.refused("unknown_token", "203.0.113.9");
    let query = Query { limit: Some(1), newest: true, ..Query::default() };
    let page = world.reader().read(&query, is_a_record).await.expect("it reads");
    let [(entry, _)] = &page.entries[..] else { panic!("one entry") };
    let Content::Record(record) = &entry.content else { panic!("a record") };
    assert!(matches!(&record.body, Body::Refusals(refusals) if refusals.counts.len() == 1));
}
