//! Fuzz targets as plain functions: given any bytes, they panic if a property is broken, and answer whether the bytes
//! got past the first check. `tests/corpus.rs` drives them over the committed corpus; cargo-fuzz can for longer.

use std::{net::Ipv4Addr, net::Ipv6Addr, sync::Arc};

use authority::server::Endpoint;
use bytes::Bytes;
use url::{Host, Url};

use crate::{
    address_guard::AddressGuard,
    redactor::{REDACTED, Redactor},
    secret_forms::{MIN_ENCODED_SECRET_BYTES, SecretForms},
};

/// Any URL that is accepted names no address inside, under the reading of another parser, which is that of browsers
/// (WHATWG), and by another table of what is inside.
pub fn url_ssrf_guard(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(endpoint) = Endpoint::parse(text) else { return false };
    if AddressGuard::new(Vec::new()).check_endpoint(&endpoint).is_err() {
        return false;
    }
    assert!(endpoint.origin.is_tls(), "plain http leaves the node: {text:?}");
    let Ok(url) = Url::parse(text) else { return false };
    match url.host() {
        Some(Host::Ipv4(ip)) => assert!(is_outside_v4(ip), "{text:?} reaches {ip}"),
        Some(Host::Ipv6(ip)) => assert!(is_outside_v6(ip), "{text:?} reaches {ip}"),
        Some(Host::Domain(host)) => assert_eq!(host, endpoint.origin.host(), "{text:?} has two hosts"),
        None => panic!("{text:?} has no host"),
    }
    assert_eq!(url.port_or_known_default(), Some(endpoint.origin.port()), "{text:?} has two ports");
    assert_eq!((url.username(), url.password()), ("", None), "{text:?} has a user");
    true
}

/// The standard library's opinion of what is inside, where it has a stable one.
fn is_outside_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let inside = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_unspecified()
        || ip.is_broadcast()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && b & 0xc0 == 64)
        || (a == 198 && b & 0xfe == 18);
    !inside
}

fn is_outside_v6(ip: Ipv6Addr) -> bool {
    let inside = ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || ip.is_unique_local()
        || ip.is_unicast_link_local()
        || ip.to_ipv4().is_some()
        || ip.segments()[0] == 0x64
        || ip.segments()[0] == 0x2002
        || ip.segments()[..2] == [0x2001, 0];
    !inside
}

/// The secret never passes, wherever the body is cut; a body without it passes unchanged; the cuts make no difference.
///
/// Layout: length of the secret, the secret, then steps of one byte each. A step below 0x80 is itself a byte of the
/// body; from 0x80 the secret or a form of it is put in; from 0xe0 one escaped byte of it; from 0xf0 the body is cut.
pub fn redactor_stream(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first() else { return false };
    let length = MIN_ENCODED_SECRET_BYTES + usize::from(length % 48);
    let Some((secret, steps)) = rest.split_at_checked(length) else { return false };
    let secret: Vec<u8> = secret.iter().map(|byte| 0x21 + byte % 0x5e).collect();
    let forms = Arc::new(SecretForms::new(&secret));
    if forms.have(b'[') || forms.have(b']') || REDACTED.windows(length).any(|window| window == secret) {
        // What is put in the place of such a secret could itself be read as a part of it.
        return false;
    }
    let mut chunks = vec![Vec::new()];
    for step in steps {
        let chunk = chunks.last_mut().expect("there is always one");
        match step {
            0..0x80 => chunk.push(*step),
            0x80..0xa0 => chunk.extend_from_slice(&secret),
            0xa0..0xc0 => chunk.extend_from_slice(&secret[..length - 1]),
            0xc0..0xd0 => chunk.extend(secret.iter().flat_map(|byte| format!("{byte:02x}").into_bytes())),
            0xd0..0xe0 => chunk.extend(secret.iter().flat_map(|byte| escaped(*byte, *step).into_bytes())),
            0xe0..0xf0 => chunk.extend(escaped(secret[usize::from(step & 7)], *step).into_bytes()),
            0xf0..=0xff => chunks.push(Vec::new()),
        }
    }
    let body = chunks.concat();
    let (whole, found) = redact(&forms, vec![body.clone()]);
    assert_eq!(redact(&forms, chunks), (whole.clone(), found), "the cuts make a difference");
    assert!(!forms.stand_in(&whole), "a form of the secret passed");
    if !forms.stand_in(&body) {
        assert_eq!((whole, found), (body, 0), "a body without the secret was changed");
    }
    true
}

/// A character of the secret as encoders for JSON and for pages write it. By the step letters and digits stay.
fn escaped(byte: u8, step: u8) -> String {
    match step & 7 {
        0..4 if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        0 | 4 => format!("\\u{byte:04X}"),
        1 | 5 => format!("\\u{byte:04x}"),
        2 | 6 => format!("&#x{byte:X};"),
        _ => format!("\\\\u0026#{byte};"),
    }
}

fn redact(forms: &Arc<SecretForms>, chunks: Vec<Vec<u8>>) -> (Vec<u8>, u64) {
    let mut redactor = Redactor::new(Arc::clone(forms));
    let mut out = Vec::new();
    for chunk in chunks {
        out.extend_from_slice(&redactor.push(Bytes::from(chunk)));
    }
    out.extend_from_slice(&redactor.finish());
    (out, redactor.found())
}
