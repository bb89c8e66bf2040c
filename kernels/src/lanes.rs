//! What the kernels do with vectors by hand, once for each level: little enough to be read beside its meaning.
//!
//! Without closures: one that the compiler leaves outside of a kernel has none of the level's instructions, and each of
//! them becomes a call. The compiler vectorises plain loops over arrays at every level, but not comparisons whose results become bits of an
//! integer. The types here stand for a level; `level.rs` alone names them, where it has made sure of the processor.

use std::ops::{AddAssign, SubAssign};

/// Rows whose comparisons make a word.
pub(crate) const ROWS: usize = u64::BITS as usize;

/// Rows and columns of what is transposed.
pub(crate) const SIXTEEN: usize = 16;

/// Bytes that are compared at once.
pub(crate) const BYTES: usize = 32;

/// Sixteen rows of sixteen numbers.
pub(crate) type Square = [[i16; SIXTEEN]; SIXTEEN];

/// [`Lanes::order`] of numbers of any width.
#[inline(always)]
pub(crate) fn order<T: Copy + PartialOrd + AddAssign + SubAssign + From<bool>>(
    run: &mut [T; BYTES],
    newest: &[T; BYTES],
    old: &[T; BYTES],
) {
    for lane in 0..BYTES {
        run[lane] += T::from(newest[lane] > old[lane]);
        run[lane] -= T::from(newest[lane] < old[lane]);
    }
}

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

    /// Adds 1 in each lane where `newest > old` and takes 1 where `newest < old`.
    #[inline(always)]
    fn order(run: &mut [i8; BYTES], newest: &[i8; BYTES], old: &[i8; BYTES]) {
        order(run, newest, old);
    }

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
mod x86;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Sse2};

#[cfg(target_arch = "aarch64")]
mod arm;
#[cfg(target_arch = "aarch64")]
pub(crate) use arm::Neon;

#[cfg(test)]
mod tests;
