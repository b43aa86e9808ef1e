//! JSON lines: one value, one line, whatever others wrote into it.
//!
//! Names of tools, clients and peers come from outside. JSON allows line separators, bidirectional controls and the
//! control characters above ASCII to stand in a text as they are; a terminal, a log shipper or a viewer may take them for
//! a new record or turn the line around. Here every character that is not plainly printable is written as `\uXXXX`, which
//! every reader of JSON takes back to the same text. It knows no entry and no field names: those belong to whoever
//! presents the record.

use serde_json::Value;

/// Writes a value as one line of printable text, without the line feed at its end.
pub fn line(value: &Value) -> String {
    // In the compact form, what is not printable can stand only inside a text, where an escape means the same.
    let compact = value.to_string();
    let mut line = String::with_capacity(compact.len());
    for found in compact.chars() {
        if is_plain(found) {
            line.push(found);
        } else {
            line.extend(found.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    line
}

/// Whether a character shows itself and nothing else: beyond ASCII, what the standard library leaves as it is when it
/// quotes a text for a programmer.
fn is_plain(found: char) -> bool {
    if found.is_ascii() { !found.is_ascii_control() } else { found.escape_debug().eq([found]) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// B17: nothing in a text can begin another record or turn the writing around, and nothing of it is lost.
    #[test]
    fn b17_one_value_is_one_printable_line() {
        let hostile = "a\r\n{\"forged\":1}\\\u{85}\u{2028}\u{2029}\u{1b}[31m\u{9b}31m\u{202e}\u{2066}\u{200b}\u{7f}\u{e0041}";
        let value = json!({"tool": hostile, hostile: ["ünï", "日本", "it's", "\u{1f600}", 1.5, null]});
        let line = line(&value);
        assert!(line.chars().all(is_plain), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).expect("it is JSON"), value);
        for shown in ["ünï", "日本", "it's", "\u{1f600}", r"\u2028", r"\u202e", r"\r\n", r"\udb40\udc41"]
        {
            assert!(line.contains(shown), "{shown} in {line}");
        }
    }
}
