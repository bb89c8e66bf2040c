//! The start-up check of the processor: one clear sentence instead of an illegal instruction.

/// What to say when this processor cannot run this build; `None` when it can.
#[cfg(target_arch = "x86_64")]
pub fn missing() -> Option<&'static str> {
    use std::arch::x86_64::{__cpuid, __cpuid_count, __get_cpuid_max};
    // `is_x86_feature_detected!` answers at compile time in a build for x86-64-v3, so the processor is asked directly.
    const FMA: u32 = 1 << 12;
    const AVX2: u32 = 1 << 5;
    const BMI2: u32 = 1 << 8;
    let (highest, _) = __get_cpuid_max(0);
    let able = highest >= 7 && __cpuid(1).ecx & FMA != 0 && __cpuid_count(7, 0).ebx & (AVX2 | BMI2) == AVX2 | BMI2;
    let needed = cfg!(target_feature = "avx2");
    (needed && !able).then_some(
        "error: this build needs an x86-64-v3 processor (AVX2, Haswell of 2013 or later); \
         remove .cargo/config.toml and build again for an older one",
    )
}

/// Other architectures need nothing beyond their baseline.
#[cfg(not(target_arch = "x86_64"))]
pub fn missing() -> Option<&'static str> {
    None
}
