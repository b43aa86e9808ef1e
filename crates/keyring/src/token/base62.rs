//! Base 62 for the two parts of a token: 256 bits in 43 characters, 32 bits in 6.
//!
//! What must stay true: the encoding is canonical, so that a token has one spelling only; 43 characters that stand
//! for more than 2^256 − 1 are refused.

use zeroize::Zeroizing;

/// Characters that hold 256 bits, because 62^43 > 2^256.
pub(super) const BODY_CHARS: usize = 43;
/// Characters that hold 32 bits, because 62^6 > 2^32.
pub(super) const CHECKSUM_CHARS: usize = 6;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE: u16 = 62;

/// Why 43 characters are no 256-bit number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undecodable {
    /// A character outside the alphabet.
    Alphabet,
    /// A number above 2^256 − 1.
    TooLarge,
}

/// The 43 digits of a big-endian number, most significant first, with leading zeros.
pub(super) fn encode(number: &[u8; 32]) -> Zeroizing<[u8; BODY_CHARS]> {
    let mut digits = Zeroizing::new([b'0'; BODY_CHARS]);
    let mut rest = Zeroizing::new(*number);
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[usize::from(divide(&mut rest))];
    }
    digits
}

/// Whether these digits are the canonical spelling of some 256-bit number.
pub(super) fn check(digits: &[u8; BODY_CHARS]) -> Result<(), Undecodable> {
    let mut number = Zeroizing::new([0_u8; 32]);
    for digit in digits {
        let value = value_of(*digit).ok_or(Undecodable::Alphabet)?;
        let carry = multiply_and_add(&mut number, value);
        if carry != 0 {
            return Err(Undecodable::TooLarge);
        }
    }
    Ok(())
}

/// The 6 digits of a 32-bit number.
pub(super) fn encode_checksum(mut number: u32) -> [u8; CHECKSUM_CHARS] {
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(number % u32::from(BASE)) as usize];
        number /= u32::from(BASE);
    }
    digits
}

/// Divides a big-endian number by 62 in place and returns the remainder.
fn divide(number: &mut [u8; 32]) -> u8 {
    let mut remainder: u16 = 0;
    for byte in number.iter_mut() {
        let dividend = (remainder << 8) | u16::from(*byte);
        *byte =
            u8::try_from(dividend / BASE).expect("the remainder is below 62, so the quotient fits a byte");
        remainder = dividend % BASE;
    }
    u8::try_from(remainder).expect("a remainder of 62 fits a byte")
}

/// Multiplies a big-endian number by 62, adds `digit` and returns what did not fit.
fn multiply_and_add(number: &mut [u8; 32], digit: u8) -> u8 {
    let mut carry = u16::from(digit);
    for byte in number.iter_mut().rev() {
        let product = u16::from(*byte) * BASE + carry;
        let [high, low] = product.to_be_bytes();
        *byte = low;
        carry = u16::from(high);
    }
    u8::try_from(carry).expect("the carry is the high byte of a product")
}

fn value_of(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'Z' => Some(digit - b'A' + 10),
        b'a'..=b'z' => Some(digit - b'a' + 36),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(digits: &[u8; BODY_CHARS]) -> [u8; 32] {
        let mut number = [0; 32];
        for digit in digits {
            assert_eq!(multiply_and_add(&mut number, value_of(*digit).unwrap()), 0);
        }
        number
    }

    #[test]
    fn the_alphabet_agrees_with_the_values() {
        for (value, digit) in ALPHABET.iter().enumerate() {
            assert_eq!(value_of(*digit).map(usize::from), Some(value));
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(*encode(&[0; 32]), [b'0'; BODY_CHARS]);
        let largest = encode(&[0xff; 32]);
        assert_eq!(check(&largest), Ok(()));

        // One more than the largest, digit by digit with carries.
        let mut above = *largest;
        for digit in above.iter_mut().rev() {
            if *digit == b'z' {
                *digit = b'0';
                continue;
            }
            *digit = ALPHABET[usize::from(value_of(*digit).unwrap()) + 1];
            break;
        }
        assert_eq!(check(&above), Err(Undecodable::TooLarge));
        assert_eq!(check(&[b'z'; BODY_CHARS]), Err(Undecodable::TooLarge));
    }

    #[test]
    fn a_character_outside_the_alphabet_is_named_as_such() {
        for stranger in [b'-', b'_', b' ', b'/', b':', b'@', b'[', b'`', b'{', 0, 0xff] {
            let mut digits = [b'0'; BODY_CHARS];
            digits[20] = stranger;
            assert_eq!(check(&digits), Err(Undecodable::Alphabet));
        }
    }

    #[test]
    fn checksums_have_six_digits() {
        assert_eq!(&encode_checksum(0), b"000000");
        assert_eq!(&encode_checksum(61), b"00000z");
        assert_eq!(&encode_checksum(62), b"000010");
        assert_eq!(&encode_checksum(u32::MAX), b"4gfFC3");
    }

    proptest! {
        #[test]
        fn every_number_comes_back(number in any::<[u8; 32]>()) {
            let digits = encode(&number);
            prop_assert_eq!(check(&digits), Ok(()));
            prop_assert_eq!(decode(&digits), number);
        }
    }
}
