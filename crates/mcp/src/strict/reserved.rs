//! The keys that mean something to the protocol, and the spellings that could be taken for them (FAULTS C02, C03).
//!
//! Go's `encoding/json` and .NET's web defaults match keys without regard to case, Go with Unicode's simple folding,
//! so `Method`, `paramſ` (U+017F) and `tasK` (U+212A, the Kelvin sign) reach a member that an exact reader never saw.
//! In objects of the protocol such a key is refused. Inside `arguments` and other free-form values a key belongs to
//! the tool, and `Name` there is nobody's mistake; two keys that fold together are still refused ([`super::keys`]).

use unicode_normalization::UnicodeNormalization;

/// The reserved keys of `length` bytes. Grouped so that a key is compared with a handful and not with all.
fn of_length(length: usize) -> &'static [&'static str] {
    match length {
        2 => &["id"],
        3 => &["ref", "uri"],
        4 => &["code", "data", "name", "task", "type"],
        5 => &["_meta", "error", "level", "tools", "ttlMs", "value"],
        6 => &["cursor", "method", "params", "reason", "result", "taskId", "values"],
        7 => &["baggage", "content", "context", "isError", "jsonrpc", "message", "prompts", "version"],
        8 => &["argument", "contents", "progress"],
        9 => &["arguments", "requestId", "resources"],
        10 => &[
            "cacheScope",
            "clientInfo",
            "completion",
            "nextCursor",
            "resultType",
            "serverInfo",
            "tracestate",
        ],
        11 => &["inputSchema", "traceparent", "uriTemplate"],
        12 => &["capabilities", "requestState"],
        13 => &["inputRequests", "notifications", "progressToken"],
        14 => &["inputResponses"],
        15 => &["protocolVersion"],
        17 => &["resourceTemplates", "structuredContent", "supportedVersions"],
        21 => &["resourceSubscriptions"],
        32 => &["io.modelcontextprotocol/logLevel"],
        34 => &["io.modelcontextprotocol/clientInfo"],
        38 => &["io.modelcontextprotocol/subscriptionId"],
        39 => &["io.modelcontextprotocol/protocolVersion"],
        42 => &["io.modelcontextprotocol/clientCapabilities"],
        _ => &[],
    }
}

/// Keys that serde_json reads as its own markers for numbers and raw values, so that our own tools would misread them.
const FORBIDDEN: [&str; 2] = ["$serde_json::private::Number", "$serde_json::private::RawValue"];

/// The reserved key that `key` equals only after folding. `folded` is [`fold`] of a key that is not ASCII.
pub(super) fn lookalike(key: &str, folded: Option<&str>) -> Option<&'static str> {
    let form = folded.unwrap_or(key);
    let first = *form.as_bytes().first()?;
    let mut candidates = of_length(form.len()).iter().copied();
    candidates.find(|reserved| {
        let same_letter = (reserved.as_bytes()[0] ^ first) & !0x20 == 0;
        same_letter && key != *reserved && form.eq_ignore_ascii_case(reserved)
    })
}

/// Whether `key` is a marker of a JSON library.
pub(super) fn is_forbidden(key: &str) -> bool {
    key.starts_with('$') && FORBIDDEN.contains(&key)
}

/// The form of a non-ASCII key under which loose decoders compare: NFKC and both directions of case mapping.
///
/// Upper before lower, because İ, ı, ſ and ς meet their plain letters only on that way; the dot that İ leaves behind
/// goes too. This folds more than any one decoder does, which is the safe side.
pub(super) fn fold(key: &str) -> String {
    const COMBINING_DOT_ABOVE: char = '\u{307}';
    let cased = key.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    cased.filter(|character| *character != COMBINING_DOT_ABOVE).nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::{fold, is_forbidden, lookalike, of_length};

    fn taken_for(key: &str) -> Option<&'static str> {
        if key.is_ascii() { lookalike(key, None) } else { lookalike(key, Some(&fold(key))) }
    }

    #[test]
    fn every_reserved_key_stands_under_its_length() {
        for length in 0..64 {
            for key in of_length(length) {
                assert_eq!(key.len(), length, "{key}");
                assert_eq!(taken_for(key), None, "a reserved key is not its own lookalike");
                assert_eq!(taken_for(&key.to_uppercase()), Some(*key));
            }
        }
    }

    /// C02, C03: what decoders that fold would take for a key of the protocol.
    #[test]
    fn c02_c03_spellings_that_fold_to_a_reserved_key() {
        for (key, reserved) in [
            ("Name", Some("name")),
            ("METHOD", Some("method")),
            ("Arguments", Some("arguments")),
            ("protocolversion", Some("protocolVersion")),
            ("param\u{17f}", Some("params")),
            ("tas\u{212a}", Some("task")),
            ("na\u{ff4d}e", Some("name")),
            ("\u{ff2e}AME", Some("name")),
            ("ur\u{131}", Some("uri")),
            ("UR\u{130}", Some("uri")),
            ("\u{2170}d", Some("id")),
            ("IO.modelcontextprotocol/protocolVersion", Some("io.modelcontextprotocol/protocolVersion")),
            ("name", None),
            ("names", None),
            ("título", None),
        ] {
            assert_eq!(taken_for(key), reserved, "{key}");
        }
    }

    #[test]
    fn the_markers_of_our_own_json_library_are_forbidden() {
        assert!(is_forbidden("$serde_json::private::Number"));
        assert!(is_forbidden("$serde_json::private::RawValue"));
        assert!(!is_forbidden("$schema"));
    }
}
