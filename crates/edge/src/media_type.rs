//! The media types of the protocol: what a body is sent as and what a client takes (RFC 9110, sections 8.3 and 12.5.1).

use http::{HeaderMap, HeaderValue, header};

/// One JSON document.
pub(crate) const JSON: &str = "application/json";

/// A stream of events.
pub(crate) const EVENTS: &str = "text/event-stream";

/// Whether the body is announced as JSON, with any parameters and in any case.
pub(crate) fn is_sent_as_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let only = types.next().filter(|_| types.next().is_none()).map(HeaderValue::as_bytes);
    let essence = only.and_then(|value| value.split(|byte| *byte == b';').next());
    essence.is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(JSON.as_bytes()))
}

/// Whether the client takes answers of this type. One that does not say takes all; weights are not looked at.
pub(crate) fn takes(headers: &HeaderMap, wanted: &str) -> bool {
    let mut values = headers.get_all(header::ACCEPT).iter().peekable();
    if values.peek().is_none() {
        return true;
    }
    let family = wanted.split_once('/').map_or(wanted, |(family, _)| family);
    let covers = |range: &str| {
        let range = range.split(';').next().unwrap_or_default().trim();
        let of_family = range.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(family));
        range == "*/*" || range.eq_ignore_ascii_case(wanted) || of_family
    };
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(covers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &header::HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn json_is_json_with_parameters_and_in_any_case() {
        for good in ["application/json", "Application/JSON", "application/json ; charset=utf-8"] {
            assert!(is_sent_as_json(&headers(&header::CONTENT_TYPE, &[good])), "{good}");
        }
        for bad in [&[][..], &["text/plain"], &["application/json-rpc"], &["application/json", "text/plain"]]
        {
            assert!(!is_sent_as_json(&headers(&header::CONTENT_TYPE, bad)), "{bad:?}");
        }
    }

    #[test]
    fn a_client_takes_what_its_ranges_cover() {
        let takes = |accept: &[&'static str]| {
            let headers = headers(&header::ACCEPT, accept);
            (takes(&headers, JSON), takes(&headers, EVENTS))
        };
        assert_eq!(takes(&[]), (true, true));
        assert_eq!(takes(&["application/json, Text/Event-Stream;q=0.5"]), (true, true));
        assert_eq!(takes(&["application/json", "text/event-stream"]), (true, true));
        assert_eq!(takes(&["text/html, */*;q=0.1"]), (true, true));
        assert_eq!(takes(&["application/*"]), (true, false));
        assert_eq!(takes(&["text/*"]), (false, true));
        assert_eq!(takes(&["text/html, application/jsonx"]), (false, false));
    }
}
