//! The system's allocator, told three things.
//!
//! A month is columns of megabytes, and a first touch of each of their 4 KiB pages is a fault: without huge pages a seventh
//! of a month's processor time. Linux mostly gives huge pages only where they are asked for, so large blocks ask.
//!
//! How blocks of a session are kept: left alone, glibc maps each large block anew and gives it back, and every page of it is a
//! fault again with the next session. Kept in the heap, a month has 26,000 faults where it had 42,000.
//!
//! How many heaps glibc keeps: left alone it gives threads up to eight heaps a core, and each keeps what is free in it. Threads here come and go with
//! every month, so that an archive ended at 1.3 GB where its months hold 0.2. With a heap a core it stays at that, and a month
//! takes no longer.

use base::huge_pages::HugePages;

#[global_allocator]
static ALLOCATOR: HugePages<{ 2 << 20 }> = HugePages;

/// Sets the number of heaps and how each grows; to be called before threads are started.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn settle() {
    /// The largest that glibc takes: a session's columns come from the heap, where the next session finds them again.
    const MAPPED_FROM: libc::c_int = 32 << 20;
    /// A heap grows by this much and gives back what is free at its end beyond that.
    const GROWTH: libc::c_int = 16 << 20;
    const KEPT: libc::c_int = 64 << 20;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let heaps = libc::c_int::try_from(cores).unwrap_or(libc::c_int::MAX);
    let parameters = [
        (libc::M_ARENA_MAX, heaps),
        (libc::M_MMAP_THRESHOLD, MAPPED_FROM),
        (libc::M_TOP_PAD, GROWTH),
        (libc::M_TRIM_THRESHOLD, KEPT),
    ];
    for (parameter, value) in parameters {
        // SAFETY: it only sets a parameter of the allocator, which may be set at any time; a value it does not take is ignored.
        #[allow(unsafe_code)]
        unsafe {
            libc::mallopt(parameter, value);
        }
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn settle() {}
