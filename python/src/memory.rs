//! The system's allocator, whose large blocks lie on huge pages where the kernel has some: the columns of a month are 90 MB, and
//! a first touch of each of their 4 KiB pages costs more than computing what is written there.

use std::alloc::{GlobalAlloc, Layout, System};

/// From this size on a block asks for huge pages, which are of 2 MiB on most processors.
const LARGE: usize = 4 << 20;

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
        let _ = unsafe { libc::madvise(block.add(before).cast(), whole, libc::MADV_HUGEPAGE) };
    }
    block
}

#[cfg(not(target_os = "linux"))]
#[inline]
fn advise(block: *mut u8, _: usize) -> *mut u8 {
    block
}
