//! What the kernels do with vectors by hand, once for each level: little enough to be read beside its meaning.
//!
//! Without closures: one that the compiler leaves outside of a kernel has none of the level's instructions, and each of
//! them becomes a call. The compiler vectorises plain loops over arrays at every level, but not comparisons whose results become bits of an
//! integer. The types here stand for a level; `level.rs` alone names them, where it has made sure of the processor.
#![allow(unsafe_code)] // Vector instructions beyond those every processor has.

/// Rows whose comparisons make a word.
pub(crate) const ROWS: usize = u64::BITS as usize;

/// Rows and columns of what is transposed.
pub(crate) const SIXTEEN: usize = 16;

/// Sixteen rows of sixteen numbers.
pub(crate) type Square = [[i16; SIXTEEN]; SIXTEEN];

/// What a level has of its own.
pub(crate) trait Lanes {
    /// Sixteen numbers of 16 bits, which wrap.
    type Sixteen: Copy;

    /// As a vector, and back.
    fn load(numbers: &[i16; SIXTEEN]) -> Self::Sixteen;
    fn store(vector: Self::Sixteen, numbers: &mut [i16; SIXTEEN]);
    /// The same number in each lane.
    fn splat(number: i16) -> Self::Sixteen;

    fn add(a: Self::Sixteen, b: Self::Sixteen) -> Self::Sixteen;
    fn sub(a: Self::Sixteen, b: Self::Sixteen) -> Self::Sixteen;
    fn min(a: Self::Sixteen, b: Self::Sixteen) -> Self::Sixteen;
    /// All bits of a lane where `a > b`, none elsewhere.
    fn greater(a: Self::Sixteen, b: Self::Sixteen) -> Self::Sixteen;
    fn and(a: Self::Sixteen, b: Self::Sixteen) -> Self::Sixteen;
    fn or(a: Self::Sixteen, b: Self::Sixteen) -> Self::Sixteen;

    /// The columns of `rows`.
    fn columns(rows: &Square) -> [Self::Sixteen; SIXTEEN];

    /// Bit k says whether `high[k] > above` or `low[k] < below`.
    fn outside(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64;
}

/// Plain Rust, for any other processor.
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) struct Plain;

#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
macro_rules! each_lane {
    ($($name:ident = $of:expr),*) => {$(
        #[inline(always)]
        fn $name(mut a: Self::Sixteen, b: Self::Sixteen) -> Self::Sixteen {
            for lane in 0..SIXTEEN {
                a[lane] = $of(a[lane], b[lane]);
            }
            a
        }
    )*};
}

#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
impl Lanes for Plain {
    type Sixteen = [i16; SIXTEEN];

    #[inline(always)]
    fn load(numbers: &[i16; SIXTEEN]) -> Self::Sixteen {
        *numbers
    }

    #[inline(always)]
    fn store(vector: Self::Sixteen, numbers: &mut [i16; SIXTEEN]) {
        *numbers = vector;
    }

    #[inline(always)]
    fn splat(number: i16) -> Self::Sixteen {
        [number; SIXTEEN]
    }

    each_lane! {
        add = i16::wrapping_add, sub = i16::wrapping_sub, min = std::cmp::min, greater = |a, b| -i16::from(a > b),
        and = |a, b| a & b, or = |a, b| a | b
    }

    #[inline(always)]
    fn columns(rows: &Square) -> [Self::Sixteen; SIXTEEN] {
        let mut columns = [[0; SIXTEEN]; SIXTEEN];
        for (row, numbers) in rows.iter().enumerate() {
            for (column, &number) in columns.iter_mut().zip(numbers) {
                column[row] = number;
            }
        }
        columns
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

    use super::{Lanes, ROWS, SIXTEEN, Square};

    /// SSE2.
    pub(crate) struct Sse2;
    /// AVX2.
    pub(crate) struct Avx2;
    /// AVX-512 with BW and VL.
    pub(crate) struct Avx512;

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

    /// Operations on sixteen lanes in one vector, for processors that have AVX2 at least.
    macro_rules! whole_vectors {
        () => {
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

            whole_vectors! {
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
        };
        ($($name:ident = $of:ident),*) => {$(
            #[inline(always)]
            fn $name(a: Self::Sixteen, b: Self::Sixteen) -> Self::Sixteen {
                // SAFETY: this type is named for processors with AVX2 only.
                unsafe { $of(a, b) }
            }
        )*};
    }

    impl Lanes for Avx2 {
        whole_vectors!();

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
        whole_vectors!();

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

    use super::{Lanes, ROWS, SIXTEEN, Square};

    /// NEON.
    pub(crate) struct Neon;

    /// Operations on both halves of sixteen lanes.
    macro_rules! on_halves {
        ($($name:ident = $of:ident),*) => {$(
            #[inline(always)]
            fn $name(a: Self::Sixteen, b: Self::Sixteen) -> Self::Sixteen {
                // SAFETY: NEON belongs to 64-bit ARM.
                unsafe { [$of(a[0], b[0]), $of(a[1], b[1])] }
            }
        )*};
    }

    /// The comparison with a result like its arguments.
    #[inline(always)]
    fn greater(a: int16x8_t, b: int16x8_t) -> int16x8_t {
        // SAFETY: NEON belongs to 64-bit ARM.
        unsafe { vreinterpretq_s16_u16(vcgtq_s16(a, b)) }
    }

    impl Lanes for Neon {
        type Sixteen = [int16x8_t; 2];

        #[inline(always)]
        fn load(numbers: &[i16; SIXTEEN]) -> Self::Sixteen {
            let (halves, _) = numbers.as_chunks::<8>();
            // SAFETY: NEON belongs to 64-bit ARM, and each load has the 8 values of its array.
            unsafe { [vld1q_s16(halves[0].as_ptr()), vld1q_s16(halves[1].as_ptr())] }
        }

        #[inline(always)]
        fn store(vector: Self::Sixteen, numbers: &mut [i16; SIXTEEN]) {
            let (halves, _) = numbers.as_chunks_mut::<8>();
            // SAFETY: NEON belongs to 64-bit ARM, and each store has room for 8 values.
            unsafe {
                vst1q_s16(halves[0].as_mut_ptr(), vector[0]);
                vst1q_s16(halves[1].as_mut_ptr(), vector[1]);
            }
        }

        #[inline(always)]
        fn splat(number: i16) -> Self::Sixteen {
            // SAFETY: NEON belongs to 64-bit ARM.
            [unsafe { vdupq_n_s16(number) }; 2]
        }

        on_halves! { add = vaddq_s16, sub = vsubq_s16, min = vminq_s16, greater = greater, and = vandq_s16, or = vorrq_s16 }

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
                            // SAFETY: NEON belongs to 64-bit ARM.
                            unsafe {
                                eight[2 * pair] = vzip1q_s16(before[pair], before[pair + 4]);
                                eight[2 * pair + 1] = vzip2q_s16(before[pair], before[pair + 4]);
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

    kernel!(avx512 fn columns['a]['a](rows: &'a Square, columns: &'a mut Square) {
        for (vector, column) in L::columns(rows).into_iter().zip(columns) {
            L::store(vector, column);
        }
    });

    kernel!(avx512 fn operations['a]['a](numbers: &'a [[i16; SIXTEEN]; 2], results: &'a mut [[i16; SIXTEEN]; 7]) {
        let [a, b] = [L::load(&numbers[0]), L::load(&numbers[1])];
        let of = [L::add(a, b), L::sub(a, b), L::min(a, b), L::greater(a, b), L::and(a, b), L::or(a, b), L::splat(7)];
        for (vector, result) in of.into_iter().zip(results) {
            L::store(vector, result);
        }
    });

    #[test]
    fn columns_and_operations_at_every_level() {
        let _forcing = crate::level::tests::FORCING.lock();
        let rows: Square = std::array::from_fn(|row| std::array::from_fn(|column| (16 * row + column) as i16));
        let expected: Square = std::array::from_fn(|row| std::array::from_fn(|column| rows[column][row]));
        let a = [-7, i16::MIN, i16::MAX, 0, 5, 6, 7, 8, 5, 5, -1, 1, 2, 3, 4, i16::MAX - 1];
        let b = [7, i16::MAX, i16::MIN, 0, 6, 5, -7, 8, 1, 255, -1, i16::MIN, -2, 3, -4, i16::MAX];
        let both = |of: fn(i16, i16) -> i16| std::array::from_fn(|lane| of(a[lane], b[lane]));
        let results = [
            both(i16::wrapping_add),
            both(i16::wrapping_sub),
            both(i16::min),
            both(|a, b| if a > b { -1 } else { 0 }),
            both(|a, b| a & b),
            both(|a, b| a | b),
            [7; SIXTEEN],
        ];
        assert_eq!(Plain::columns(&rows), expected);
        assert_eq!([Plain::greater(a, b), Plain::sub(a, b)], [results[3], results[1]]);
        for level in Level::available() {
            level.force().unwrap();
            let (mut found, mut operated) = (rows, [[9; SIXTEEN]; 7]);
            columns(&rows, &mut found);
            operations(&[a, b], &mut operated);
            assert_eq!((found, operated), (expected, results), "{level}");
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
