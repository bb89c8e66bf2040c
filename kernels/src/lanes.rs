//! What the kernels do with vectors by hand, once for each level: little enough to be read beside its meaning.
//!
//! The compiler vectorises plain loops over arrays at every level, but not comparisons whose results become bits of an
//! integer. The types here stand for a level; `level.rs` alone names them, where it has made sure of the processor.
#![allow(unsafe_code)] // Vector instructions beyond those every processor has.

/// Rows whose comparisons make a word.
pub(crate) const ROWS: usize = u64::BITS as usize;

/// Comparisons of a level.
pub(crate) trait Lanes {
    /// Bit k says whether `high[k] > above` or `low[k] < below`.
    fn outside(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64;
}

/// Plain Rust, for any processor.
pub(crate) struct Plain;

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
            // SAFETY: SSE2 belongs to x86-64, and each load lies within its array: 8 values from `row`, a multiple of 8
            // below 64.
            unsafe {
                let (above, below) = (_mm_set1_epi16(above), _mm_set1_epi16(below));
                let eight = |row: usize| {
                    let high = _mm_loadu_si128(high.as_ptr().add(row).cast());
                    let low = _mm_loadu_si128(low.as_ptr().add(row).cast());
                    _mm_or_si128(_mm_cmpgt_epi16(high, above), _mm_cmpgt_epi16(below, low))
                };
                let sixteen = |row: usize| {
                    let bytes = _mm_packs_epi16(eight(row), eight(row + 8));
                    u64::from(_mm_movemask_epi8(bytes) as u16) << row
                };
                sixteen(0) | sixteen(16) | sixteen(32) | sixteen(48)
            }
        }
    }

    impl Lanes for Avx2 {
        #[inline(always)]
        fn outside(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64 {
            // SAFETY: this type is named for processors with AVX2 only, and each load lies within its array: 16 values
            // from `row`, a multiple of 16 below 64.
            unsafe {
                let (above, below) = (_mm256_set1_epi16(above), _mm256_set1_epi16(below));
                let sixteen = |row: usize| {
                    let high = _mm256_loadu_si256(high.as_ptr().add(row).cast());
                    let low = _mm256_loadu_si256(low.as_ptr().add(row).cast());
                    _mm256_or_si256(_mm256_cmpgt_epi16(high, above), _mm256_cmpgt_epi16(below, low))
                };
                let thirty_two = |row: usize| {
                    // Packed within halves of the vectors: their quarters have to change places.
                    let bytes = _mm256_packs_epi16(sixteen(row), sixteen(row + 16));
                    u64::from(_mm256_movemask_epi8(_mm256_permute4x64_epi64::<0b11_01_10_00>(bytes)) as u32) << row
                };
                thirty_two(0) | thirty_two(32)
            }
        }
    }

    impl Lanes for Avx512 {
        #[inline(always)]
        fn outside(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64 {
            // SAFETY: this type is named for processors with AVX-512 BW only, and each load lies within its array: 32
            // values from `row`, which is 0 or 32.
            unsafe {
                let (above, below) = (_mm512_set1_epi16(above), _mm512_set1_epi16(below));
                let thirty_two = |row: usize| {
                    let high = _mm512_loadu_si512(high.as_ptr().add(row).cast());
                    let low = _mm512_loadu_si512(low.as_ptr().add(row).cast());
                    let either = _mm512_cmpgt_epi16_mask(high, above) | _mm512_cmplt_epi16_mask(low, below);
                    u64::from(either) << row
                };
                thirty_two(0) | thirty_two(32)
            }
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
            // SAFETY: NEON belongs to 64-bit ARM, and each load lies within its array: 8 values from `row`, a multiple of
            // 8 below 64.
            unsafe {
                let (above, below) = (vdupq_n_s16(above), vdupq_n_s16(below));
                let eight = |row: usize| {
                    let (high, low) = (vld1q_s16(high.as_ptr().add(row)), vld1q_s16(low.as_ptr().add(row)));
                    vmovn_u16(vorrq_u16(vcgtq_s16(high, above), vcltq_s16(low, below)))
                };
                // Each byte keeps its own bit; three additions of neighbours bring eight of them together.
                let bit = vcreate_u8(0x8040_2010_0804_0201);
                let bits = |row: usize| vand_u8(eight(row), bit);
                let sixteen = |row: usize| vpadd_u8(bits(row), bits(row + 8));
                let word = vpadd_u8(vpadd_u8(sixteen(0), sixteen(16)), vpadd_u8(sixteen(32), sixteen(48)));
                vget_lane_u64::<0>(vreinterpret_u64_u8(word))
            }
        }
    }
}
#[cfg(target_arch = "aarch64")]
pub(crate) use arm::Neon;
