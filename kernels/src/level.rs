//! The instructions a kernel runs on, chosen when the program runs.
//!
//! A kernel is one body that is compiled once for each [`Level`]: for every processor of its architecture, and inside a
//! function that may use more. Nothing in it depends on the width of a vector and nothing is contracted to a fused
//! multiplication, so the bits are the same at every level. What is called from a body has to be `#[inline(always)]`
//! or small: whatever the compiler leaves outside is compiled for every processor.
#![allow(unsafe_code)] // A function with target features is called where the processor is known to have them.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::Error;
use crate::lanes::Lanes;

/// A set of instructions.
///
/// ```
/// use kernels::Level;
///
/// // The widest level of this processor is in use until another one is forced.
/// assert_eq!(Some(Level::in_use()), Level::available().last());
/// for level in Level::available() {
///     level.force()?;
///     assert_eq!(Level::in_use(), level);
/// }
/// # Ok::<(), kernels::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// What every processor of the architecture has: SSE2 on x86-64.
    Baseline = 1,
    /// NEON, which every 64-bit ARM has.
    Neon = 2,
    /// AVX2 with BMI1, BMI2, LZCNT and POPCNT: Haswell of 2013, Zen of 2017.
    Avx2 = 3,
    /// AVX-512 F, BW, CD, DQ and VL: Skylake-SP of 2017, Zen 4 of 2022. Kernels that it does not help stay with AVX2.
    Avx512 = 4,
}

/// All of them, by width.
const ALL: [Level; 4] = [Level::Baseline, Level::Neon, Level::Avx2, Level::Avx512];

/// The level in use; 0 until it is asked for.
static IN_USE: AtomicU8 = AtomicU8::new(0);

impl Level {
    /// The levels of this processor, the widest last.
    ///
    /// ```
    /// assert!(kernels::Level::available().count() > 0);
    /// ```
    pub fn available() -> impl Iterator<Item = Self> {
        ALL.into_iter().filter(|level| level.is_available())
    }

    /// The level all kernels of this process use: the widest of the processor, or the one that was forced.
    ///
    /// ```
    /// println!("kernels run on {}", kernels::Level::in_use());
    /// ```
    #[must_use]
    pub fn in_use() -> Self {
        match IN_USE.load(Ordering::Relaxed) {
            1 => Self::Baseline,
            2 => Self::Neon,
            3 => Self::Avx2,
            4 => Self::Avx512,
            _ => {
                let widest = Self::available().last().unwrap_or(Self::Baseline);
                // Where another thread has just forced one, that stays.
                let _ = IN_USE.compare_exchange(0, widest as u8, Ordering::Relaxed, Ordering::Relaxed);
                Self::in_use()
            }
        }
    }

    /// Makes all kernels of this process use this level from their next call on: for tests, benchmarks and bug reports.
    /// The results are the same to the bit.
    ///
    /// # Errors
    /// [`Error::Level`] when the processor does not have it.
    ///
    /// ```
    /// use kernels::Level;
    ///
    /// let narrowest = Level::available().next().unwrap_or(Level::in_use());
    /// narrowest.force()?;
    /// # Ok::<(), kernels::Error>(())
    /// ```
    pub fn force(self) -> Result<(), Error> {
        if !self.is_available() {
            return Err(Error::Level { level: self });
        }
        IN_USE.store(self as u8, Ordering::Relaxed);
        Ok(())
    }

    /// Its name: `baseline`, `neon`, `avx2` or `avx512`.
    ///
    /// ```
    /// assert_eq!("avx2".parse(), Ok(kernels::Level::Avx2));
    /// assert_eq!(kernels::Level::Avx2.name(), "avx2");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn is_available(self) -> bool {
        macro_rules! all {
            ($($feature:tt)*) => { $(is_x86_feature_detected!($feature))&&* };
        }
        let avx2 = || all!("avx2" "bmi1" "bmi2" "lzcnt" "popcnt");
        match self {
            Self::Baseline => true,
            Self::Neon => false,
            Self::Avx2 => avx2(),
            Self::Avx512 => avx2() && all!("avx512f" "avx512bw" "avx512cd" "avx512dq" "avx512vl"),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_available(self) -> bool {
        self == if cfg!(target_arch = "aarch64") { Self::Neon } else { Self::Baseline }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = ALL.into_iter().find(|level| level.name() == name);
        found.ok_or_else(|| Error::LevelName { name: name.to_owned() })
    }
}

/// Runs a kernel at the level in use.
#[inline]
pub(crate) fn run<K: Kernel>(kernel: K) {
    #[cfg(target_arch = "x86_64")]
    match Level::in_use() {
        // SAFETY: the level in use was detected or passed `Level::force`, so this processor has these instructions.
        Level::Avx512 if K::AVX512 => unsafe { avx512(kernel) },
        // SAFETY: likewise; whatever has AVX-512 has AVX2.
        Level::Avx2 | Level::Avx512 => unsafe { avx2(kernel) },
        Level::Baseline | Level::Neon => baseline(kernel),
    }
    #[cfg(not(target_arch = "x86_64"))]
    baseline(kernel);
}

/// Work that is compiled for every level.
pub(crate) trait Kernel {
    /// Whether 512-bit vectors make it at least 3 % faster than AVX2, by `benches/RESULTS.md`. Otherwise
    /// there is no such code.
    const AVX512: bool;

    /// Does it. `#[inline(always)]` in each implementation.
    fn run<L: Lanes>(self);
}

/// A function whose body is compiled for every level, and with `avx512` for 512-bit vectors as well; `L` in it are the
/// level's [`Lanes`]. Its generic parameters are given twice, with their bounds and without:
/// `kernel!(fn name['a, F: Float]['a, F](out: &'a mut [F]) { body });`
macro_rules! kernel {
    (avx512 fn $($function:tt)*) => { $crate::level::kernel!(@ true fn $($function)*); };
    (fn $($function:tt)*) => { $crate::level::kernel!(@ false fn $($function)*); };
    (@ $avx512:literal fn $name:ident[$($generic:tt)*][$($parameter:tt)*]($($argument:ident: $type:ty),*) $body:block) => {
        #[inline]
        fn $name<$($generic)*>($($argument: $type),*) {
            struct Work<$($generic)*>($($type),*);
            impl<$($generic)*> $crate::level::Kernel for Work<$($parameter)*> {
                const AVX512: bool = $avx512;
                #[inline(always)]
                fn run<L: $crate::lanes::Lanes>(self) {
                    let Self($($argument),*) = self;
                    $body
                }
            }
            $crate::level::run(Work($($argument),*));
        }
    };
}
pub(crate) use kernel;

/// What every processor of the architecture has.
#[cfg(target_arch = "x86_64")]
type Everywhere = crate::lanes::Sse2;
#[cfg(target_arch = "aarch64")]
type Everywhere = crate::lanes::Neon;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Everywhere = crate::lanes::Plain;

#[inline(never)]
fn baseline<K: Kernel>(kernel: K) {
    kernel.run::<Everywhere>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn avx2<K: Kernel>(kernel: K) {
    kernel.run::<crate::lanes::Avx2>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
fn avx512<K: Kernel>(kernel: K) {
    // The few vectors by hand are not faster in 512 bits.
    kernel.run::<crate::lanes::Avx2>();
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Held by a test that forces levels, so that no other one does meanwhile.
    pub(crate) static FORCING: Mutex<()> = Mutex::new(());

    #[test]
    fn names() {
        for level in ALL {
            assert_eq!(level.name().parse(), Ok(level));
            assert_eq!(format!("{level:>9}").trim_start(), level.name());
        }
        assert_eq!("AVX2".parse::<Level>(), Err(Error::LevelName { name: "AVX2".into() }));
    }

    #[test]
    fn only_what_the_processor_has_is_forced() {
        let _forcing = FORCING.lock();
        for level in ALL {
            let there = Level::available().any(|available| available == level);
            assert_eq!(level.force().is_ok(), there, "{level}");
        }
        assert!(Level::available().is_sorted());
    }
}
