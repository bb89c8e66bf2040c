//! What the kernels do with vectors by hand, once for each level: little enough to be read beside its meaning.
//!
//! Without closures: one that the compiler leaves outside of a kernel has none of the level's instructions, and each of
//! them becomes a call. The compiler vectorises plain loops over arrays at every level, but not comparisons whose results become bits of an
//! integer. The types here stand for a level; `level.rs` alone names them, where it has made sure of the processor.
#![allow(unsafe_code)] // Vector instructions beyond those every processor has.

/// Rows whose comparisons make a word.
pub(crate) const ROWS: usize = u64::BITS as usize;

/// Numbers of a vector.
pub(crate) const SIXTEEN: usize = 16;

/// The number of each lane.
const LANE: [i16; SIXTEEN] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Comparisons of a level.
pub(crate) trait Lanes {
    /// Sixteen numbers.
    type Sixteen: Copy;

    /// As a vector, and back.
    fn sixteen(numbers: &[i16; SIXTEEN]) -> Self::Sixteen;
    fn array(numbers: Self::Sixteen) -> [i16; SIXTEEN];

    /// The same numbers but for the first `count`, which become `number`.
    fn first(numbers: Self::Sixteen, count: i16, number: i16) -> Self::Sixteen;

    /// How many are not above `limit`.
    fn up_to(numbers: Self::Sixteen, limit: i16) -> u32;

    /// Bit k says whether `high[k] > above` or `low[k] < below`.
    fn outside(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64;
}

/// Plain Rust, for any other processor.
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) struct Plain;

#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
impl Lanes for Plain {
    type Sixteen = [i16; SIXTEEN];

    #[inline(always)]
    fn sixteen(numbers: &[i16; SIXTEEN]) -> Self::Sixteen {
        *numbers
    }

    #[inline(always)]
    fn array(numbers: Self::Sixteen) -> [i16; SIXTEEN] {
        numbers
    }

    #[inline(always)]
    fn first(mut numbers: Self::Sixteen, count: i16, number: i16) -> Self::Sixteen {
        for lane in 0..SIXTEEN {
            numbers[lane] = if LANE[lane] < count { number } else { numbers[lane] };
        }
        numbers
    }

    #[inline(always)]
    fn up_to(numbers: Self::Sixteen, limit: i16) -> u32 {
        let mut count = 0;
        for number in numbers {
            count += u32::from(number <= limit);
        }
        count
    }

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

    use super::{LANE, Lanes, ROWS, SIXTEEN};

    /// SSE2.
    pub(crate) struct Sse2;
    /// AVX2.
    pub(crate) struct Avx2;
    /// AVX-512 with BW and VL.
    pub(crate) struct Avx512;

    impl Lanes for Sse2 {
        type Sixteen = [__m128i; 2];

        #[inline(always)]
        fn sixteen(numbers: &[i16; SIXTEEN]) -> Self::Sixteen {
            let (halves, _) = numbers.as_chunks::<8>();
            // SAFETY: SSE2 belongs to x86-64, and each load has the 8 values of its array.
            unsafe { [_mm_loadu_si128(halves[0].as_ptr().cast()), _mm_loadu_si128(halves[1].as_ptr().cast())] }
        }

        #[inline(always)]
        fn array([lower, upper]: Self::Sixteen) -> [i16; SIXTEEN] {
            let mut numbers = [0; SIXTEEN];
            let (halves, _) = numbers.as_chunks_mut::<8>();
            // SAFETY: SSE2 belongs to x86-64, and each store has room for 8 values.
            unsafe {
                _mm_storeu_si128(halves[0].as_mut_ptr().cast(), lower);
                _mm_storeu_si128(halves[1].as_mut_ptr().cast(), upper);
            }
            numbers
        }

        #[inline(always)]
        fn first(mut numbers: Self::Sixteen, count: i16, number: i16) -> Self::Sixteen {
            let lanes = Self::sixteen(&LANE);
            for half in 0..2 {
                // SAFETY: SSE2 belongs to x86-64.
                numbers[half] = unsafe {
                    let mine = _mm_cmpgt_epi16(_mm_set1_epi16(count), lanes[half]);
                    _mm_or_si128(_mm_and_si128(mine, _mm_set1_epi16(number)), _mm_andnot_si128(mine, numbers[half]))
                };
            }
            numbers
        }

        #[inline(always)]
        fn up_to([lower, upper]: Self::Sixteen, limit: i16) -> u32 {
            // SAFETY: SSE2 belongs to x86-64.
            let above = unsafe {
                let (limit, zero) = (_mm_set1_epi16(limit), _mm_setzero_si128());
                // Bytes of -1, turned into ones and added: not every processor counts bits.
                let bytes = _mm_packs_epi16(_mm_cmpgt_epi16(lower, limit), _mm_cmpgt_epi16(upper, limit));
                let sums = _mm_sad_epu8(_mm_sub_epi8(zero, bytes), zero);
                _mm_cvtsi128_si32(sums) + _mm_extract_epi16::<4>(sums)
            };
            (SIXTEEN as i32 - above) as u32
        }

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
        type Sixteen = __m256i;

        #[inline(always)]
        fn sixteen(numbers: &[i16; SIXTEEN]) -> Self::Sixteen {
            // SAFETY: this type is named for processors with AVX2 only, and the load has the 16 values of its array.
            unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
        }

        #[inline(always)]
        fn array(vector: Self::Sixteen) -> [i16; SIXTEEN] {
            let mut numbers = [0; SIXTEEN];
            // SAFETY: likewise, and the store has room for 16 values.
            unsafe { _mm256_storeu_si256(numbers.as_mut_ptr().cast(), vector) };
            numbers
        }

        #[inline(always)]
        fn first(numbers: Self::Sixteen, count: i16, number: i16) -> Self::Sixteen {
            // SAFETY: this type is named for processors with AVX2 only.
            unsafe {
                let mine = _mm256_cmpgt_epi16(_mm256_set1_epi16(count), Self::sixteen(&LANE));
                _mm256_blendv_epi8(numbers, _mm256_set1_epi16(number), mine)
            }
        }

        #[inline(always)]
        fn up_to(numbers: Self::Sixteen, limit: i16) -> u32 {
            // SAFETY: likewise.
            let above = unsafe { _mm256_movemask_epi8(_mm256_cmpgt_epi16(numbers, _mm256_set1_epi16(limit))) };
            // Two bits a number.
            SIXTEEN as u32 - above.count_ones() / 2
        }

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
        type Sixteen = __m256i;

        #[inline(always)]
        fn sixteen(numbers: &[i16; SIXTEEN]) -> Self::Sixteen {
            // SAFETY: this type is named for processors with AVX-512 only, and the load has the 16 values of its array.
            unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
        }

        #[inline(always)]
        fn array(vector: Self::Sixteen) -> [i16; SIXTEEN] {
            let mut numbers = [0; SIXTEEN];
            // SAFETY: likewise, and the store has room for 16 values.
            unsafe { _mm256_storeu_si256(numbers.as_mut_ptr().cast(), vector) };
            numbers
        }

        #[inline(always)]
        fn first(numbers: Self::Sixteen, count: i16, number: i16) -> Self::Sixteen {
            // SAFETY: this type is named for processors with AVX-512 BW and VL only.
            unsafe {
                let mine = _mm256_cmpgt_epi16_mask(_mm256_set1_epi16(count), Self::sixteen(&LANE));
                _mm256_mask_set1_epi16(numbers, mine, number)
            }
        }

        #[inline(always)]
        fn up_to(numbers: Self::Sixteen, limit: i16) -> u32 {
            // SAFETY: likewise.
            unsafe { _mm256_cmple_epi16_mask(numbers, _mm256_set1_epi16(limit)) }.count_ones()
        }

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

    use super::{LANE, Lanes, ROWS, SIXTEEN};

    /// NEON.
    pub(crate) struct Neon;

    impl Lanes for Neon {
        type Sixteen = [int16x8_t; 2];

        #[inline(always)]
        fn sixteen(numbers: &[i16; SIXTEEN]) -> Self::Sixteen {
            let (halves, _) = numbers.as_chunks::<8>();
            // SAFETY: NEON belongs to 64-bit ARM, and each load has the 8 values of its array.
            unsafe { [vld1q_s16(halves[0].as_ptr()), vld1q_s16(halves[1].as_ptr())] }
        }

        #[inline(always)]
        fn array([lower, upper]: Self::Sixteen) -> [i16; SIXTEEN] {
            let mut numbers = [0; SIXTEEN];
            let (halves, _) = numbers.as_chunks_mut::<8>();
            // SAFETY: likewise, and each store has room for 8 values.
            unsafe {
                vst1q_s16(halves[0].as_mut_ptr(), lower);
                vst1q_s16(halves[1].as_mut_ptr(), upper);
            }
            numbers
        }

        #[inline(always)]
        fn first(mut numbers: Self::Sixteen, count: i16, number: i16) -> Self::Sixteen {
            let lanes = Self::sixteen(&LANE);
            for half in 0..2 {
                // SAFETY: NEON belongs to 64-bit ARM.
                numbers[half] = unsafe {
                    vbslq_s16(vcltq_s16(lanes[half], vdupq_n_s16(count)), vdupq_n_s16(number), numbers[half])
                };
            }
            numbers
        }

        #[inline(always)]
        fn up_to([lower, upper]: Self::Sixteen, limit: i16) -> u32 {
            // SAFETY: NEON belongs to 64-bit ARM. A lane that is not above has all 16 bits set: once shifted, 1.
            let count = unsafe {
                let limit = vdupq_n_s16(limit);
                let (lower, upper) = (vcleq_s16(lower, limit), vcleq_s16(upper, limit));
                vaddvq_u16(vaddq_u16(vshrq_n_u16::<15>(lower), vshrq_n_u16::<15>(upper)))
            };
            u32::from(count)
        }

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

    kernel!(avx512 fn sixteen['a]['a](numbers: &'a mut [i16; SIXTEEN], count: i16, number: i16, up_to: &'a mut u32) {
        let vector = L::first(L::sixteen(numbers), count, number);
        (*numbers, *up_to) = (L::array(vector), L::up_to(vector, number));
    });

    #[test]
    fn sixteen_numbers_at_every_level() {
        let _forcing = crate::level::tests::FORCING.lock();
        let numbers = [-7, i16::MIN, i16::MAX, 0, 5, 6, 7, 8, 5, 5, -1, 1, 2, 3, 4, i16::MAX - 1];
        for (count, number) in [(0, 5), (1, i16::MIN), (7, i16::MAX), (15, -1), (16, 6), (16, i16::MAX)] {
            let mut expected = numbers;
            expected[..count as usize].fill(number);
            let counted = expected.iter().filter(|&&other| other <= number).count() as u32;
            let plain = Plain::first(numbers, count, number);
            assert_eq!((plain, Plain::up_to(plain, number)), (expected, counted));
            for level in Level::available() {
                level.force().unwrap();
                let (mut found, mut up_to) = (numbers, 99);
                sixteen(&mut found, count, number, &mut up_to);
                assert_eq!((found, up_to), (expected, counted), "{level}");
            }
        }
    }

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
