//! How long reading takes: a call of 1 KB, one of 1 MB, and a list of 300 tools that is filtered.
//!
//! Budgets (measured, never asserted): about 1 µs for the usual call of 1 KB, time in proportion to the bytes beyond
//! it, and for the list less than 150 µs of which this is a part. What costs is keys and strings, not bytes, so the
//! same size is also read as many small objects, the worst an ordinary client sends.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mcp::limits::Limits;
use mcp::lists::{self, ListKind};
use mcp::message;
use mcp::revision::Era;

/// What stands around the arguments of a modern `tools/call`.
fn call(arguments: &str) -> Vec<u8> {
    format!(
        r#"{{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{{"name":"edit_file","arguments":{{{arguments}}},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}},"io.modelcontextprotocol/clientInfo":{{"name":"bench","version":"1.0"}},"progressToken":17}}}}}}"#
    )
    .into_bytes()
}

/// The usual call: a few arguments, one of them a text that fills the body up to `bytes`.
fn text(bytes: usize) -> Vec<u8> {
    let line = "    let answer = compute(&input, 42)?; // as before\\n";
    let text = line.repeat(bytes.saturating_sub(400).div_ceil(line.len()).max(1));
    call(&format!(r#""path":"src/main.rs","line":42,"text":"{text}","keep":true"#))
}

/// A call whose arguments are an array of small objects that fills the body up to `bytes`.
fn rows(bytes: usize) -> Vec<u8> {
    let row = r#"{"path":"src/main.rs","line":42,"text":"fn main() { println!(\"hello\"); }","keep":true}"#;
    let rows = vec![row; bytes.saturating_sub(400).div_ceil(row.len() + 1).max(1)].join(",");
    call(&format!(r#""edits":[{rows}]"#))
}

/// An answer to `tools/list` with 300 tools in 90 KB.
fn tools() -> Vec<u8> {
    let tool = |n: usize| {
        format!(
            r#"{{"name":"tool_{n}","description":"Looks up record number {n} and returns what is known about it.","inputSchema":{{"type":"object","properties":{{"id":{{"type":"string","description":"the record"}},"limit":{{"type":"integer","minimum":1,"maximum":100}}}},"required":["id"]}},"annotations":{{"readOnlyHint":true}}}}"#
        )
    };
    let tools: Vec<String> = (0..300).map(tool).collect();
    format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{}]}}}}"#, tools.join(",")).into_bytes()
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("strict");
    let bodies = [
        ("1KB", text(1 << 10)),
        ("1KB of small objects", rows(1 << 10)),
        ("1MB", text(1 << 20)),
        ("1MB of small objects", rows(1 << 20)),
    ];
    for (name, body) in bodies {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| message::read(black_box(&body), Limits::REQUEST).expect("the body is fine"));
        });
    }
    group.finish();
}

fn filtering(criterion: &mut Criterion) {
    let body = tools();
    let mut group = criterion.benchmark_group("lists");
    group.throughput(Throughput::Bytes(body.len() as u64));
    for (name, keep) in [("300 tools, every tenth stays", 10), ("300 tools, all stay", 1)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut seen = 0;
                lists::filter(black_box(&body), ListKind::Tools, Era::Modern, Limits::RESPONSE, |_, _| {
                    seen += 1;
                    seen % keep == 0
                })
                .expect("the list is fine")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, reading, filtering);
criterion_main!(benches);
