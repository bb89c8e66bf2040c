//! Vectors of x86-64. What stands for a level is named by `level.rs` alone, where the processor was asked.
#![allow(unsafe_code)] // Vector instructions beyond those every processor has.

use std::arch::x86_64::*;

use super::{BYTES, Lanes, ROWS, SIXTEEN, Square};

/// SSE2.
pub(crate) struct Sse2;
/// AVX2.
pub(crate) struct Avx2;

/// Operations on both halves of sixteen lanes.
macro_rules! on_halves {
    ($($name:ident = $of:ident),*) => {$(
        #[inline(always)]
        fn $name(a: Self::Sixteen, b: Self::Sixteen) -> Self::Sixteen {
            // SAFETY: SSE2 belongs to x86-64.
            unsafe { [$of(a[0], b[0]), $of(a[1], b[1])] }
        }
    )*};
}

impl Lanes for Sse2 {
    type Sixteen = [__m128i; 2];

    #[inline(always)]
    fn load(numbers: &[i16; SIXTEEN]) -> Self::Sixteen {
        let (halves, _) = numbers.as_chunks::<8>();
        // SAFETY: SSE2 belongs to x86-64, and each load has the 8 values of its array.
        unsafe { [_mm_loadu_si128(halves[0].as_ptr().cast()), _mm_loadu_si128(halves[1].as_ptr().cast())] }
    }

    #[inline(always)]
    fn store(vector: Self::Sixteen, numbers: &mut [i16; SIXTEEN]) {
        let (halves, _) = numbers.as_chunks_mut::<8>();
        // SAFETY: SSE2 belongs to x86-64, and each store has room for 8 values.
        unsafe {
            _mm_storeu_si128(halves[0].as_mut_ptr().cast(), vector[0]);
            _mm_storeu_si128(halves[1].as_mut_ptr().cast(), vector[1]);
        }
    }

    #[inline(always)]
    fn splat(number: i16) -> Self::Sixteen {
        // SAFETY: SSE2 belongs to x86-64.
        [unsafe { _mm_set1_epi16(number) }; 2]
    }

    on_halves! { add = _mm_add_epi16, sub = _mm_sub_epi16, min = _mm_min_epi16, greater = _mm_cmpgt_epi16, and = _mm_and_si128, or = _mm_or_si128 }

    #[inline(always)]
    fn columns(rows: &Square) -> [Self::Sixteen; SIXTEEN] {
        let mut columns = [Self::splat(0); SIXTEEN];
        for half in 0..2 {
            for part in 0..2 {
                let mut eight = [columns[0][0]; 8];
                for row in 0..8 {
                    eight[row] = Self::load(&rows[8 * half + row])[part];
                }
                // Three times the numbers of the first four vectors alternate with those of the others.
                for _ in 0..3 {
                    let before = eight;
                    for pair in 0..4 {
                        // SAFETY: SSE2 belongs to x86-64.
                        unsafe {
                            eight[2 * pair] = _mm_unpacklo_epi16(before[pair], before[pair + 4]);
                            eight[2 * pair + 1] = _mm_unpackhi_epi16(before[pair], before[pair + 4]);
                        }
                    }
                }
                for column in 0..8 {
                    columns[8 * part + column][half] = eight[column];
                }
            }
        }
        columns
    }

    #[inline(always)]
    fn order(run: &mut [i8; BYTES], newest: &[i8; BYTES], old: &[i8; BYTES]) {
        let (run, newest, old) = (run.as_chunks_mut::<16>().0, newest.as_chunks::<16>().0, old.as_chunks::<16>().0);
        for half in 0..2 {
            // SAFETY: SSE2 belongs to x86-64, and loads and the store have 16 values.
            unsafe {
                let newest = _mm_loadu_si128(newest[half].as_ptr().cast());
                let old = _mm_loadu_si128(old[half].as_ptr().cast());
                // All bits are -1.
                let less = _mm_add_epi8(_mm_loadu_si128(run[half].as_ptr().cast()), _mm_cmpgt_epi8(old, newest));
                _mm_storeu_si128(run[half].as_mut_ptr().cast(), _mm_sub_epi8(less, _mm_cmpgt_epi8(newest, old)));
            }
        }
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

/// Operations on vectors of sixteen lanes.
macro_rules! on_vectors {
    ($($name:ident = $of:ident),*) => {$(
        #[inline(always)]
        fn $name(a: Self::Sixteen, b: Self::Sixteen) -> Self::Sixteen {
            // SAFETY: this type is named for processors with AVX2 only.
            unsafe { $of(a, b) }
        }
    )*};
}

impl Lanes for Avx2 {
    type Sixteen = __m256i;

    #[inline(always)]
    fn load(numbers: &[i16; SIXTEEN]) -> Self::Sixteen {
        // SAFETY: this type is named for processors with AVX2 only, and the load has the 16 values of its array.
        unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(vector: Self::Sixteen, numbers: &mut [i16; SIXTEEN]) {
        // SAFETY: likewise, and the store has room for 16 values.
        unsafe { _mm256_storeu_si256(numbers.as_mut_ptr().cast(), vector) };
    }

    #[inline(always)]
    fn splat(number: i16) -> Self::Sixteen {
        // SAFETY: likewise.
        unsafe { _mm256_set1_epi16(number) }
    }

    on_vectors! {
        add = _mm256_add_epi16, sub = _mm256_sub_epi16, min = _mm256_min_epi16, greater = _mm256_cmpgt_epi16,
        and = _mm256_and_si256, or = _mm256_or_si256
    }

    #[inline(always)]
    fn columns(rows: &Square) -> [Self::Sixteen; SIXTEEN] {
        let mut columns = [Self::splat(0); SIXTEEN];
        for part in 0..2 {
            let mut eight = [columns[0]; 8];
            for row in 0..8 {
                let (above, below) = (&rows[row].as_chunks::<8>().0[part], &rows[row + 8].as_chunks::<8>().0[part]);
                // SAFETY: likewise, and each load has the 8 values of both arrays.
                eight[row] = unsafe { _mm256_loadu2_m128i(below.as_ptr().cast(), above.as_ptr().cast()) };
            }
            // Three times the numbers of the first four vectors alternate with those of the others, in both halves.
            for _ in 0..3 {
                let before = eight;
                for pair in 0..4 {
                    // SAFETY: likewise.
                    unsafe {
                        eight[2 * pair] = _mm256_unpacklo_epi16(before[pair], before[pair + 4]);
                        eight[2 * pair + 1] = _mm256_unpackhi_epi16(before[pair], before[pair + 4]);
                    }
                }
            }
            columns[8 * part..][..8].copy_from_slice(&eight);
        }
        columns
    }

    /// The sign of a difference, which saturates: one operation less than two comparisons.
    #[inline(always)]
    fn order(run: &mut [i8; BYTES], newest: &[i8; BYTES], old: &[i8; BYTES]) {
        // SAFETY: this type is named for processors with AVX2 only, and loads and the store have 32 values.
        unsafe {
            let newest = _mm256_loadu_si256(newest.as_ptr().cast());
            let difference = _mm256_subs_epi8(newest, _mm256_loadu_si256(old.as_ptr().cast()));
            let sign = _mm256_sign_epi8(_mm256_set1_epi8(1), difference);
            let sum = _mm256_add_epi8(_mm256_loadu_si256(run.as_ptr().cast()), sign);
            _mm256_storeu_si256(run.as_mut_ptr().cast(), sum);
        }
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
