//! Polynomials over GF(256) with Rijndael's polynomial. Multiplication looks nothing up, so that no cache tells of a secret.

use crate::heap_secret::HeapSecret;

/// The value at `at` of the polynomial of lowest degree through `points`, byte by byte. Places are public, values secret.
pub(super) fn interpolate<const N: usize>(points: &[(u8, HeapSecret<N>)], at: u8) -> HeapSecret<N> {
    HeapSecret::filled(|result| {
        for (place, value) in points {
            let others = points.iter().filter(|(other, _)| other != place);
            let weight = others
                .fold(1, |weight, (other, _)| multiply(weight, multiply(at ^ other, inverse(place ^ other))));
            for (to, from) in result.iter_mut().zip(value.iter()) {
                *to ^= multiply(*from, weight);
            }
        }
    })
}

/// Eight steps whatever the factors are.
fn multiply(mut left: u8, right: u8) -> u8 {
    let mut product = 0;
    for bit in 0..8 {
        product ^= left & 0_u8.wrapping_sub(right >> bit & 1);
        left = left << 1 ^ 0x1B & 0_u8.wrapping_sub(left >> 7);
    }
    product
}

/// x to the 254th, which is 1/x; 0 for 0, which no two different places give.
fn inverse(x: u8) -> u8 {
    // 254 is 2 + 4 + 8 + 16 + 32 + 64 + 128.
    let mut square = x;
    (0..7).fold(1, |power, _| {
        square = multiply(square, square);
        multiply(power, square)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_but_zero_has_an_inverse() {
        for x in 1..=u8::MAX {
            assert_eq!(multiply(x, inverse(x)), 1, "{x}");
        }
        // FIPS 197, section 4.2.
        assert_eq!(multiply(0x57, 0x83), 0xC1);
    }
}
