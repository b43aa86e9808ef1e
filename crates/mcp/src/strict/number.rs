//! Numbers: the grammar of JSON, and whether all parsers read the same value (FAULTS C13).
//!
//! Parsers differ in what they make of a number: a double (JavaScript, most of Go), a 64-bit integer (Rust, Java),
//! something of unbounded size (Python) or a decimal. A number has one reading when the double nearest to it prints
//! back as the digits that were sent; then the rounding ones and the exact ones agree. So, of what JSON allows:
//!
//! - an integer is accepted if a double holds it exactly and 64 bits suffice (2^53 and 2^60 are, 2^53 + 1 is not);
//! - a fraction or a number with an exponent is accepted if it has at most 17 significant digits and its double,
//!   printed with as many, shows the same ones (0.1 is, 0.30000000000000004 is, 9007199254740993.0 and 1e400 are not);
//! - `-0` is refused: an integer parser drops the sign, a float parser keeps it. `-0.0` is a float to everyone.
//!
//! Accepted numbers are forwarded as they were written, 42.0 included.

use super::refusal::{Reason, Refusal};
use crate::limits::MAX_NUMBER_BYTES;

/// Significant digits that always survive a double (C's `DBL_DIG`): no further look is needed.
const SAFE_DIGITS: usize = 15;

/// Significant digits that are enough to print any double; more of them carry a value that no double has.
const MAX_SIGNIFICANT_DIGITS: usize = 17;

/// Bits of a double's significand.
const SIGNIFICAND_BITS: u32 = 53;

/// Reads the grammar of the number that begins at `start` and returns the offset after it.
pub(crate) fn end(bytes: &[u8], start: usize) -> Result<usize, Refusal> {
    let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        Some(b'1'..=b'9') => digits(bytes, at),
        Some(_) => return Err(Reason::UnexpectedByte.at(at)),
        None => return Err(Reason::UnexpectedEnd.at(at)),
    };
    if bytes.get(at) == Some(&b'.') {
        at = some_digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = some_digits(bytes, at)?;
    }
    Ok(at)
}

fn digits(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

fn some_digits(bytes: &[u8], start: usize) -> Result<usize, Refusal> {
    let after = digits(bytes, start);
    if after > start {
        return Ok(after);
    }
    let reason = if start < bytes.len() { Reason::UnexpectedByte } else { Reason::UnexpectedEnd };
    Err(reason.at(start))
}

/// Whether `token`, which follows the grammar, is read alike by every parser.
///
/// # Errors
/// [`Reason::NumberTooLong`], [`Reason::NegativeZero`] or [`Reason::AmbiguousNumber`].
#[inline]
pub fn one_reading(token: &str) -> Result<(), Reason> {
    let is_short_count = token.len() <= SAFE_DIGITS && token.bytes().all(|byte| byte.is_ascii_digit());
    if is_short_count { Ok(()) } else { one_reading_at_length(token) }
}

/// [`one_reading`] for anything but a short integer without a sign.
fn one_reading_at_length(token: &str) -> Result<(), Reason> {
    if token.len() > MAX_NUMBER_BYTES {
        return Err(Reason::NumberTooLong);
    }
    let magnitude = token.strip_prefix('-').unwrap_or(token);
    if magnitude.bytes().all(|byte| byte.is_ascii_digit()) {
        if token == "-0" {
            return Err(Reason::NegativeZero);
        }
        return integer(magnitude, magnitude.len() != token.len());
    }
    decimal(magnitude)
}

fn integer(magnitude: &str, negative: bool) -> Result<(), Reason> {
    if magnitude.len() <= SAFE_DIGITS {
        return Ok(());
    }
    let value: u64 = magnitude.parse().map_err(|_| Reason::AmbiguousNumber)?;
    let bits = u64::BITS - value.leading_zeros() - value.trailing_zeros();
    let fits_64_bits = !negative || value <= 1 << 63;
    if bits <= SIGNIFICAND_BITS && fits_64_bits { Ok(()) } else { Err(Reason::AmbiguousNumber) }
}

fn decimal(magnitude: &str) -> Result<(), Reason> {
    let (mantissa, has_exponent) = match magnitude.find(['e', 'E']) {
        Some(at) => (&magnitude[..at], true),
        None => (magnitude, false),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_matches('0');
    if digits.is_empty() || (digits.len() <= SAFE_DIGITS && !has_exponent) {
        return Ok(());
    }
    if digits.len() > MAX_SIGNIFICANT_DIGITS {
        return Err(Reason::AmbiguousNumber);
    }
    let value: f64 = magnitude.parse().map_err(|_| Reason::AmbiguousNumber)?;
    if !value.is_finite() || value == 0.0 {
        return Err(Reason::AmbiguousNumber);
    }
    let printed = format!("{value:.*e}", digits.len() - 1);
    let shown = printed.split('e').next().unwrap_or_default();
    let same = shown.bytes().filter(u8::is_ascii_digit).eq(digits.bytes());
    if same { Ok(()) } else { Err(Reason::AmbiguousNumber) }
}

#[cfg(test)]
mod tests {
    use super::{end, one_reading};

    fn verdict(token: &str) -> &'static str {
        if end(token.as_bytes(), 0) != Ok(token.len()) {
            return "not a number";
        }
        one_reading(token).map_or_else(super::Reason::code, |()| "accepted")
    }

    /// C13: the table of what is one value to everyone and what is not.
    #[test]
    fn c13_numbers_have_one_reading_or_are_refused() {
        let table = [
            ("0", "accepted"),
            ("-1", "accepted"),
            ("42.0", "accepted"),
            ("0.1", "accepted"),
            ("-0.0", "accepted"),
            ("-0", "negative_zero"),
            ("1e3", "accepted"),
            ("1E+2", "accepted"),
            ("1.7976931348623157e308", "accepted"),
            ("5e-324", "accepted"),
            ("4e-324", "ambiguous_number"),
            ("1e-400", "ambiguous_number"),
            ("1e400", "ambiguous_number"),
            ("1e99999999999999999999", "ambiguous_number"),
            ("0e99999999999999999999", "accepted"),
            ("9007199254740992", "accepted"),
            ("9007199254740993", "ambiguous_number"),
            ("9007199254740993.0", "ambiguous_number"),
            ("-9007199254740993", "ambiguous_number"),
            ("1152921504606846976", "accepted"),
            ("9223372036854775808", "accepted"),
            ("-9223372036854775808", "accepted"),
            ("-18446744073709549568", "ambiguous_number"),
            ("18446744073709549568", "accepted"),
            ("18446744073709551616", "ambiguous_number"),
            ("100000000000000000000", "ambiguous_number"),
            ("0.30000000000000004", "accepted"),
            ("0.10000000000000001", "accepted"),
            ("3.14159265358979323846", "ambiguous_number"),
            ("100.00000000000000000001", "ambiguous_number"),
            ("1.2345678901234567e16", "ambiguous_number"),
            ("00", "not a number"),
            ("01", "not a number"),
            ("+1", "not a number"),
            (".5", "not a number"),
            ("1.", "not a number"),
            ("1e", "not a number"),
            ("0x1", "not a number"),
            ("NaN", "not a number"),
            ("-", "not a number"),
        ];
        for (token, expected) in table {
            assert_eq!(verdict(token), expected, "{token}");
        }
        assert_eq!(verdict(&"1".repeat(65)), "number_too_long");
    }
}
