//! What commands print: the same values as a table for people, or as JSON, YAML or JSON lines for programs.
//!
//! It prints data and nothing else; messages go to standard error where they arise. What must stay true: text that
//! somebody else chose can neither forge a line of a table nor turn its direction, and a reader that goes away early, as
//! `head` does, is no failure.

use std::io::{ErrorKind, Write as _};

use anyhow::Result;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::failure::{ReaderGone, Usage};

/// The form of what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Columns, for people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// YAML.
    Yaml,
    /// The token alone, where a command makes one.
    Token,
}

/// A column of a table: its heading, and the member of each object it shows.
pub type Column = (&'static str, &'static str);

/// A value as YAML has to be told of it. `serde_json` keeps numbers as the text they were written in and hides that in a
/// private form, which no other serializer knows.
struct Plain<'a>(&'a Value);

/// Prints a list of objects.
pub fn list(objects: &[Value], columns: &[Column], output: Output) -> Result<()> {
    print(&list_text(objects, columns, output)?)
}

/// Prints one object.
pub fn object(object: &Value, columns: &[Column], output: Output) -> Result<()> {
    print(&object_text(object, columns, output)?)
}

/// Prints a text and a line feed.
///
/// # Errors
/// [`ReaderGone`] if nobody reads any more.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    written.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => ReaderGone.into(),
        _ => anyhow::Error::from(error).context("cannot write to standard output"),
    })
}

/// Whether a character controls the terminal, turns the direction of writing, or has no width.
fn is_unsafe_to_show(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Everything but plain printable text is escaped: control characters, and what turns the direction of writing or has no
/// width.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe_to_show(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

fn list_text(objects: &[Value], columns: &[Column], output: Output) -> Result<String> {
    Ok(match output {
        Output::Table => table(objects, columns),
        Output::Json => escaped(&serde_json::to_string_pretty(objects)?),
        Output::Jsonl => objects.iter().map(ledger::json::line).collect::<Vec<_>>().join("\n"),
        Output::Yaml => yaml(&objects.iter().map(Plain).collect::<Vec<_>>())?,
        Output::Token => return Err(no_token()),
    })
}

fn object_text(object: &Value, columns: &[Column], output: Output) -> Result<String> {
    Ok(match output {
        Output::Table => table(std::slice::from_ref(object), columns),
        Output::Json => escaped(&serde_json::to_string_pretty(object)?),
        Output::Jsonl => ledger::json::line(object),
        Output::Yaml => yaml(&Plain(object))?,
        Output::Token => object["token"].as_str().ok_or_else(no_token)?.to_owned(),
    })
}

/// JSON over several lines, in which what is not plainly printable is an escape that every reader takes back.
fn escaped(pretty: &str) -> String {
    let mut shown = String::with_capacity(pretty.len());
    for c in pretty.chars() {
        if c == '\n' || !is_unsafe_to_show(c) {
            shown.push(c);
        } else {
            shown.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    shown
}

fn no_token() -> anyhow::Error {
    Usage::of("this command makes no token; `-o token` goes with `grant issue` and `grant rotate`").into()
}

fn yaml(value: &impl Serialize) -> Result<String> {
    Ok(serde_saphyr::to_string(value)?.trim_end().to_owned())
}

fn table(objects: &[Value], columns: &[Column]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|(heading, _)| heading.to_uppercase()));
    for object in objects {
        table.add_row(columns.iter().map(|(_, member)| cell(&object[*member])));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// One value on one line.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => printable(text),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), _, _) => serializer.serialize_u64(number),
                (None, Some(number), _) => serializer.serialize_i64(number),
                (None, None, Some(number)) => serializer.serialize_f64(number),
                (None, None, None) => serializer.collect_str(number),
            },
            Value::Array(items) => serializer.collect_seq(items.iter().map(Plain)),
            Value::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, Plain(value))))
            }
            Value::Null => serializer.serialize_none(),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::String(text) => serializer.serialize_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: [Column; 3] = [("server", "server"), ("tools", "tools"), ("label", "label")];

    fn objects() -> [Value; 2] {
        [
            json!({"server": "github", "tools": ["a", "b"], "version": 2, "latency": 1.5, "label": null}),
            json!({"server": "x", "tools": [], "version": 1, "latency": 0.25, "label": "true"}),
        ]
    }

    fn shown(output: Output) -> String {
        list_text(&objects(), &COLUMNS, output).expect("it can be shown")
    }

    #[test]
    fn a_table_is_aligned_and_an_absent_value_is_a_dash() {
        assert_eq!(shown(Output::Table), "SERVER  TOOLS  LABEL\ngithub  a,b    -\nx       -      true");
    }

    #[test]
    fn yaml_has_plain_numbers_and_quotes_what_would_be_read_as_something_else() {
        assert_eq!(
            shown(Output::Yaml),
            "- label: null\n  latency: 1.5\n  server: github\n  tools:\n  - a\n  - b\n  version: 2\n\
             - label: \"true\"\n  latency: 0.25\n  server: x\n  tools: []\n  version: 1"
        );
    }

    #[test]
    fn json_is_one_document_and_json_lines_one_object_a_line() {
        let whole: Value = serde_json::from_str(&shown(Output::Json)).expect("JSON");
        assert_eq!(whole, json!(objects()));
        let lines: Vec<Value> =
            shown(Output::Jsonl).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines, objects());
    }

    #[test]
    fn a_token_is_printed_only_where_there_is_one() {
        let issued = json!({"grant": "gr_x", "token": "pcl_x"});
        assert_eq!(object_text(&issued, &COLUMNS, Output::Token).expect("there is one"), "pcl_x");
        assert!(object_text(&objects()[0], &COLUMNS, Output::Token).is_err());
        assert!(list_text(&objects(), &COLUMNS, Output::Token).is_err());
    }

    /// B17: whatever others wrote into a name, one entry is one line, and no form of it turns the writing.
    #[test]
    fn b17_no_form_of_output_carries_a_character_that_forges_a_line() {
        let hostile = [json!({"tool": "a\r\nb\u{1b}[31m\u{202e}c\u{2028}d"})];
        for output in [Output::Table, Output::Json, Output::Jsonl] {
            let shown = list_text(&hostile, &[("tool", "tool")], output).expect("a text");
            assert!(!shown.contains(['\r', '\u{1b}', '\u{202e}', '\u{2028}']), "{output:?}: {shown:?}");
        }
        for output in [Output::Json, Output::Jsonl] {
            let shown = list_text(&hostile, &[], output).expect("a text");
            let read: Value = serde_json::from_str(shown.trim_matches(['[', ']', '\n', ' '])).expect("JSON");
            assert_eq!(read, hostile[0]);
        }
    }

    #[test]
    fn b17_a_name_cannot_forge_a_line_or_turn_the_writing() {
        let hostile = "a\r\nb\u{1b}[31m\u{202e}c\u{2028}d";
        let shown = cell(&json!(hostile));
        assert_eq!(shown, "a\\u{d}\\u{a}b\\u{1b}[31m\\u{202e}c\\u{2028}d");
    }
}
