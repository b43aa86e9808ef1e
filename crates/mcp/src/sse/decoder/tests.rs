//! Streams and the frames they are read as.

use bytes::Bytes;

use super::{Decoder, Frame, Overrun, StreamLimits};
use crate::sse::encoder::{self, Event, KEEP_ALIVE, NotAField};

fn frames(stream: &[u8]) -> Vec<Frame> {
    let mut decoder = Decoder::default();
    decoder.push(stream);
    std::iter::from_fn(|| decoder.next_frame().unwrap()).collect()
}

/// A frame in one line: its fields, `-` where there is none.
fn shown(frame: &Frame) -> String {
    let text = |field: &Option<Bytes>| {
        field.as_ref().map_or("-".to_owned(), |bytes| format!("{:?}", String::from_utf8_lossy(bytes)))
    };
    let retry = frame.retry_ms.map_or("-".to_owned(), |retry| retry.to_string());
    format!("{} {} {} {retry}", text(&frame.id), text(&frame.event), text(&frame.data))
}

#[test]
fn fields_are_read_as_the_standard_says() {
    for (stream, expected) in [
        ("data: {}\n\n", r#"- - "{}" -"#),
        ("id: 7\nevent: message\ndata: a\nretry: 3000\n\n", r#""7" "message" "a" 3000"#),
        ("data:a\ndata: b\ndata:  c\ndata\n\n", "- - \"a\\nb\\n c\\n\" -"),
        ("id\ndata:\n\n", r#""" - "" -"#),
        (": comment\ndata: x\n\n", r#"- - "x" -"#),
        ("unknown: y\nDATA: z\n\n", "- - - -"),
        ("id: a\0b\ndata: x\n\n", r#"- - "x" -"#),
        ("retry: 1s\nretry: 5\nretry: \n\n", "- - - 5"),
        ("event: a\nevent: b\ndata: x\n\n", r#"- "b" "x" -"#),
        ("\u{feff}data: x\n\n", r#"- - "x" -"#),
        ("\n", "- - - -"),
    ] {
        let frames = frames(stream.as_bytes());
        assert_eq!(frames.len(), 1, "{stream:?}");
        assert_eq!(shown(&frames[0]), expected, "{stream:?}");
        assert_eq!(frames[0].raw, stream, "the bytes are kept");
    }
}

#[test]
fn all_three_line_ends_end_lines() {
    for (stream, raws) in [
        ("data: a\r\n\r\ndata: b\r\n\r\n", vec!["data: a\r\n\r\n", "data: b\r\n\r\n"]),
        ("data: a\r\rdata: b\r\r", vec!["data: a\r\r", "data: b\r\r"]),
        ("data: a\n\rdata: b\n\n", vec!["data: a\n\r", "data: b\n\n"]),
        ("data: a\r\r\ndata: b\n\n", vec!["data: a\r\r", "\ndata: b\n\n"]),
        ("data: a\n\n\n: c\n\n", vec!["data: a\n\n", "\n", ": c\n\n"]),
    ] {
        let frames = frames(stream.as_bytes());
        let found: Vec<_> = frames.iter().map(|frame| std::str::from_utf8(&frame.raw).unwrap()).collect();
        assert_eq!(found, raws, "{stream:?}");
        crate::fuzzing::sse_stream(stream.as_bytes());
    }
}

#[test]
fn an_event_is_complete_as_soon_as_its_last_byte_is_there() {
    for stream in ["data: a\n\n", "data: a\r\n\r\n", "data: a\r\r"] {
        let mut decoder = Decoder::default();
        let bytes = stream.as_bytes();
        for byte in &bytes[..bytes.len() - 1] {
            decoder.push(&[*byte]);
            assert_eq!(decoder.next_frame(), Ok(None), "{stream:?}");
        }
        decoder.push(&bytes[bytes.len() - 1..]);
        assert!(decoder.next_frame().unwrap().is_some(), "{stream:?}");
    }
}

#[test]
fn an_incomplete_event_is_no_event() {
    let mut decoder = Decoder::default();
    decoder.push(b"data: a\n\ndata: half\n");
    assert!(decoder.next_frame().unwrap().is_some());
    assert_eq!(decoder.next_frame(), Ok(None));
    assert_eq!(decoder.into_rest(), "data: half\n");
}

/// D04: a stream without line ends or without blank lines is cut at the bound, and what came before it is kept.
#[test]
fn d04_endless_lines_and_endless_events_are_cut() {
    let limits = StreamLimits { event_bytes: 64, line_bytes: 32 };
    let mut decoder = Decoder::new(limits);
    decoder.push(b"data: first\n\n");
    decoder.push("x".repeat(33).as_bytes());
    assert!(decoder.next_frame().unwrap().is_some());
    assert_eq!(decoder.next_frame(), Err(Overrun::Line { limit: 32 }));
    decoder.push(b"\n\ndata: late\n\n");
    assert_eq!(decoder.next_frame(), Err(Overrun::Line { limit: 32 }), "an overrun is final");

    let mut decoder = Decoder::new(limits);
    decoder.push("data: x\n".repeat(9).as_bytes());
    assert_eq!(decoder.next_frame(), Err(Overrun::Event { limit: 64 }));
}

#[test]
fn events_are_written_so_that_they_read_back() {
    let event =
        Event { id: Some(b"9"), event: Some(b"message"), data: Some(b"a\nb\r\nc\rd"), retry_ms: Some(10) };
    let mut out = Vec::new();
    encoder::write(&mut out, &event).unwrap();
    let text = "id: 9\nevent: message\nretry: 10\ndata: a\ndata: b\ndata: c\ndata: d\n\n";
    assert_eq!(out, text.as_bytes());
    assert_eq!(shown(&frames(&out)[0]), r#""9" "message" "a\nb\nc\nd" 10"#);
    assert_eq!(shown(&frames(KEEP_ALIVE)[0]), "- - - -");

    let broken = Event { id: Some(b"1\ndata: forged"), ..Event::default() };
    assert_eq!(encoder::write(&mut out, &broken), Err(NotAField { field: "id" }));
    assert_eq!(out, text.as_bytes(), "nothing is written of a refused event");
}

#[test]
fn the_data_of_a_frame_is_replaced_and_its_fields_stay() {
    let frame = &frames(b": hint\r\nid: 4\r\ndata: old\r\n\r\n")[0];
    assert_eq!(frame.with_data(b"{\"new\":1}"), b"id: 4\ndata: {\"new\":1}\n\n");
}
