//! How long reading takes: a call of 1 KB, one of 1 MB, and a list of 300 tools that is filtered.
//!
//! Budgets (measured, never asserted): about 1 µs for the first, in proportion for the second, and for the list less
//! than 150 µs of which this is a part.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mcp::limits::Limits;
use mcp::lists::{self, ListKind};
use mcp::message;
use mcp::revision::Era;

/// A modern `tools/call` of about `bytes`, with the usual mixture of text, numbers and small objects.
fn call(bytes: usize) -> Vec<u8> {
    let row = r#"{"path":"src/main.rs","line":42,"text":"fn main() { println!(\"hello\"); }","keep":true}"#;
    let rows = vec![row; bytes.saturating_sub(400).div_ceil(row.len() + 1).max(1)].join(",");
    format!(
        r#"{{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{{"name":"edit_file","arguments":{{"edits":[{rows}]}},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}},"io.modelcontextprotocol/clientInfo":{{"name":"bench","version":"1.0"}},"progressToken":17}}}}}}"#
    )
    .into_bytes()
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
    for (name, bytes) in [("1KB", 1024), ("1MB", 1024 * 1024)] {
        let body = call(bytes);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| message::read(black_box(&body), Limits::REQUEST).expect("the body is fine"));
        });
    }
    let text = call(1024 * 1024).len();
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t","arguments":{{"text":"{}"}}}}}}"#,
        "x".repeat(text)
    );
    group.bench_function("1MB of one string", |bencher| {
        bencher
            .iter(|| message::read(black_box(body.as_bytes()), Limits::REQUEST).expect("the body is fine"));
    });
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
