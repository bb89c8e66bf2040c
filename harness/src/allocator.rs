//! What glibc's allocator does with large blocks.
//!
//! Left alone it serves a block of some megabytes from the heap of the thread that asks as soon as one like it was freed
//! anywhere, and heaps of threads that come and go keep what is free in them: an archive ended at 1.3 GB where its months
//! hold 0.2. With a fixed threshold large blocks are mappings of their own and go back to the system when they are freed.

/// Blocks from this size on are mappings of their own.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED: libc::c_int = 1 << 20;

/// Fixes the threshold; to be called before threads are started.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn settle() {
    // SAFETY: it only sets a parameter of the allocator, which both may be set and may be this large at any time.
    #[allow(unsafe_code)]
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED);
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn settle() {}
