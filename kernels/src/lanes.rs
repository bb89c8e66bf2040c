//! What the kernels do with vectors by hand, once for each level: little enough to be read beside its meaning.
//!
//! Without closures: one that the compiler leaves outside of a kernel has none of the level's instructions, and each of
//! them becomes a call. The compiler vectorises plain loops over arrays at every level, but not comparisons whose results become bits of an
//! integer. The types here stand for a level; `level.rs` alone names them, where it has made sure of the processor.
#![allow(unsafe_code)] // Vector instructions beyond those every processor has.

/// Rows whose comparisons make a word.
pub(crate) const ROWS: usize = u64::BITS as usize;

/// Comparisons of a level.
pub(crate) trait Lanes {
    /// Bit k says whether `high[k] > above` or `low[k] < below`.
    fn outside(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64;
}

/// Plain Rust, for any other processor.
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) struct Plain;

#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
impl Lanes for Plain {
    #[inline(always)]
    fn outside(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64 {
        // Bytes of 0 or 1: the product moves the lowest bits of eight of them into the highest byte.
        let mut bytes = [0_u8; ROWS];
        for row in 0..ROWS {
            bytes[row] = u8::from(high[row] > above) | u8::from(low[row] < below);
        }
        let (eights, _) = bytes.as_chunks::<8>();
        let byte = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        eights.iter().enumerate().fold(0, |word, (place, eight)| word | byte(eight) << (8 * place))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Lanes, ROWS};

    /// SSE2.
    pub(crate) struct Sse2;
    /// AVX2.
    pub(crate) struct Avx2;
    /// AVX-512 with BW and VL.
    pub(crate) struct Avx512;

    impl Lanes for Sse2 {
        #[inline(always)]
        fn outside(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64 {
            let ((high, _), (low, _)) = (high.as_chunks::<8>(), low.as_chunks::<8>());
            let mut word = 0;
            // SAFETY: SSE2 belongs to x86-64, and each load has the 8 values of its array.
            unsafe {
                let (above, below) = (_mm_set1_epi16(above), _mm_set1_epi16(below));
                for pair in 0..4 {
                    let mut either = [above; 2];
                    for half in 0..2 {
                        let high = _mm_loadu_si128(high[2 * pair + half].as_ptr().cast());
                        let low = _mm_loadu_si128(low[2 * pair + half].as_ptr().cast());
                        either[half] = _mm_or_si128(_mm_cmpgt_epi16(high, above), _mm_cmpgt_epi16(below, low));
                    }
                    let bits = _mm_movemask_epi8(_mm_packs_epi16(either[0], either[1]));
                    word |= u64::from(bits as u16) << (16 * pair);
                }
            }
            word
        }
    }

    impl Lanes for Avx2 {
        #[inline(always)]
        fn outside(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64 {
            let ((high, _), (low, _)) = (high.as_chunks::<16>(), low.as_chunks::<16>());
            let mut word = 0;
            // SAFETY: this type is named for processors with AVX2 only, and each load has the 16 values of its array.
            unsafe {
                let (above, below) = (_mm256_set1_epi16(above), _mm256_set1_epi16(below));
                for pair in 0..2 {
                    let mut either = [above; 2];
                    for half in 0..2 {
                        let high = _mm256_loadu_si256(high[2 * pair + half].as_ptr().cast());
                        let low = _mm256_loadu_si256(low[2 * pair + half].as_ptr().cast());
                        either[half] = _mm256_or_si256(_mm256_cmpgt_epi16(high, above), _mm256_cmpgt_epi16(below, low));
                    }
                    // Packed within halves of the vectors: their quarters have to change places.
                    let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi16(either[0], either[1]));
                    word |= u64::from(_mm256_movemask_epi8(bytes) as u32) << (32 * pair);
                }
            }
            word
        }
    }

    impl Lanes for Avx512 {
        #[inline(always)]
        fn outside(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64 {
            let ((high, _), (low, _)) = (high.as_chunks::<32>(), low.as_chunks::<32>());
            let mut word = 0;
            // SAFETY: this type is named for processors with AVX-512 BW only, and each load has the 32 values of its array.
            unsafe {
                let (above, below) = (_mm512_set1_epi16(above), _mm512_set1_epi16(below));
                for half in 0..2 {
                    let high = _mm512_loadu_si512(high[half].as_ptr().cast());
                    let low = _mm512_loadu_si512(low[half].as_ptr().cast());
                    let either = _mm512_cmpgt_epi16_mask(high, above) | _mm512_cmplt_epi16_mask(low, below);
                    word |= u64::from(either) << (32 * half);
                }
            }
            word
        }
    }
}
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512, Sse2};

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::aarch64::*;

    use super::{Lanes, ROWS};

    /// NEON.
    pub(crate) struct Neon;

    impl Lanes for Neon {
        #[inline(always)]
        fn outside(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64 {
            let ((high, _), (low, _)) = (high.as_chunks::<8>(), low.as_chunks::<8>());
            // SAFETY: NEON belongs to 64-bit ARM, and each load has the 8 values of its array.
            unsafe {
                let (above, below) = (vdupq_n_s16(above), vdupq_n_s16(below));
                // Each byte keeps its own bit; three additions of neighbours bring eight of them together.
                let bit = vcreate_u8(0x8040_2010_0804_0201);
                let mut bits = [bit; 8];
                for eight in 0..8 {
                    let (high, low) = (vld1q_s16(high[eight].as_ptr()), vld1q_s16(low[eight].as_ptr()));
                    let either = vorrq_u16(vcgtq_s16(high, above), vcltq_s16(low, below));
                    bits[eight] = vand_u8(vmovn_u16(either), bit);
                }
                let [a, b, c, d, e, f, g, h] = bits;
                let lower = vpadd_u8(vpadd_u8(a, b), vpadd_u8(c, d));
                let upper = vpadd_u8(vpadd_u8(e, f), vpadd_u8(g, h));
                vget_lane_u64::<0>(vreinterpret_u64_u8(vpadd_u8(lower, upper)))
            }
        }
    }
}
#[cfg(target_arch = "aarch64")]
pub(crate) use arm::Neon;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::{Level, kernel};

    /// The definition, and what processors without vectors of ours do.
    fn expected(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64 {
        let bits = (0..ROWS).map(|row| u64::from(high[row] > above || low[row] < below) << row).sum();
        assert_eq!(Plain::outside(high, low, above, below), bits);
        bits
    }

    kernel!(avx512 fn outside['a]['a](columns: &'a [[i16; ROWS]; 2], limits: [i16; 2], word: &'a mut u64) {
        *word = L::outside(&columns[0], &columns[1], limits[0], limits[1]);
    });

    #[test]
    fn bits_of_comparisons_at_every_level() {
        let _forcing = crate::level::tests::FORCING.lock();
        let mut state = 1_u64;
        let mut any = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 48) as i16
        };
        for round in 0..2_000 {
            let mask = if round % 2 == 0 { 7 } else { -1 };
            let columns = [(); 2].map(|()| [(); ROWS].map(|()| any() & mask));
            let limits = match round % 4 {
                0 => [any() & 7, any() & 7],
                1 => [any(), any()],
                2 => [i16::MAX, i16::MIN],
                _ => [i16::MIN, i16::MAX],
            };
            let bits = expected(&columns[0], &columns[1], limits[0], limits[1]);
            for level in Level::available() {
                level.force().unwrap();
                let mut word = 0;
                outside(&columns, limits, &mut word);
                assert_eq!(word, bits, "{level}, limits {limits:?}");
            }
        }
    }
}
