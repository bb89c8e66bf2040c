//! How many heaps glibc's allocator keeps.
//!
//! Left alone it gives threads up to eight heaps a core, and each keeps what is free in it. Threads here come and go with
//! every month, so that an archive ended at 1.3 GB where its months hold 0.2. With a heap a core it stays at that, and a month
//! takes no longer.

/// Fixes the number of heaps; to be called before threads are started.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn settle() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let heaps = libc::c_int::try_from(cores).unwrap_or(libc::c_int::MAX);
    // SAFETY: it only sets a parameter of the allocator, which may be set at any time and to any number above 0.
    #[allow(unsafe_code)]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, heaps);
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn settle() {}
