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

use std::alloc::{GlobalAlloc, Layout, System};

/// From this size on a block asks for huge pages, which are of 2 MiB on most processors.
#[cfg(target_os = "linux")]
const LARGE: usize = 2 << 20;

/// The system's allocator, whose large blocks lie on huge pages where the kernel has some.
struct HugePages;

#[global_allocator]
static ALLOCATOR: HugePages = HugePages;

// SAFETY: every block is the system allocator's own and given back to it with the layout it was asked for; advice about
// pages changes nothing that a program can read.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for HugePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        advise(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc_zeroed`, which is the same.
        advise(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is one of `System`, and the caller keeps the rest of the contract.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the block is one of `System`, and the caller keeps the rest of the contract.
        advise(unsafe { System.realloc(block, layout, size) }, size)
    }
}

/// Asks for huge pages under the whole pages of a large block.
#[cfg(target_os = "linux")]
#[inline]
fn advise(block: *mut u8, size: usize) -> *mut u8 {
    /// Smaller than that, or a divisor of it, on every Linux.
    const PAGE: usize = 64 << 10;
    if size >= LARGE && !block.is_null() {
        let before = block.addr().next_multiple_of(PAGE) - block.addr();
        let whole = (size - before) / PAGE * PAGE;
        // SAFETY: the range lies within the block. Advice that cannot be taken is refused and nothing else.
        #[allow(unsafe_code)]
        unsafe {
            libc::madvise(block.add(before).cast(), whole, libc::MADV_HUGEPAGE);
        }
    }
    block
}

#[cfg(not(target_os = "linux"))]
fn advise(block: *mut u8, _size: usize) -> *mut u8 {
    block
}

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
