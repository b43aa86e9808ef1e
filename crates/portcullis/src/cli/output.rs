//! What commands print: the same values as a table for people, or as JSON, YAML or JSON lines for programs.

use anyhow::Result;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use serde_json::Value;

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

/// Prints a list of objects.
pub fn list(objects: &[Value], columns: &[Column], output: Output) -> Result<()> {
    match output {
        Output::Table | Output::Token => println!("{}", table(objects, columns)),
        Output::Json => println!("{}", serde_json::to_string_pretty(objects)?),
        Output::Jsonl => {
            for object in objects {
                println!("{}", serde_json::to_string(object)?);
            }
        }
        Output::Yaml => print!("{}", serde_saphyr::to_string(&objects)?),
    }
    Ok(())
}

/// Prints one object.
pub fn object(object: &Value, columns: &[Column], output: Output) -> Result<()> {
    match output {
        Output::Table => println!("{}", table(std::slice::from_ref(object), columns)),
        Output::Json => println!("{}", serde_json::to_string_pretty(object)?),
        Output::Jsonl => println!("{}", serde_json::to_string(object)?),
        Output::Yaml => print!("{}", serde_saphyr::to_string(object)?),
        Output::Token => println!("{}", object["token"].as_str().unwrap_or_default()),
    }
    Ok(())
}

/// The table of some objects.
pub fn table(objects: &[Value], columns: &[Column]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|(heading, _)| heading.to_uppercase()));
    for object in objects {
        table.add_row(columns.iter().map(|(_, member)| cell(&object[*member])));
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// One value on one line. What others chose (names of tools, messages) may hold control characters or turn the direction of
/// writing, so everything but plain printable text is escaped.
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

fn printable(text: &str) -> String {
    let unsafe_to_show = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if unsafe_to_show(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_aligned_and_an_absent_value_is_a_dash() {
        let objects = [json!({"server": "github", "tools": ["a", "b"]}), json!({"server": "x", "tools": []})];
        let shown = table(&objects, &[("server", "server"), ("tools", "tools"), ("label", "label")]);
        let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines, [["SERVER", "TOOLS", "LABEL"], ["github", "a,b", "-"], ["x", "-", "-"]]);
    }

    #[test]
    fn b17_a_name_cannot_forge_a_line_or_turn_the_writing() {
        let hostile = "a\r\nb\u{1b}[31m\u{202e}c\u{2028}d";
        let shown = cell(&json!(hostile));
        assert_eq!(shown, "a\\u{d}\\u{a}b\\u{1b}[31m\\u{202e}c\\u{2028}d");
    }
}
