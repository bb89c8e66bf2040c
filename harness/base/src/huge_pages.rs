//! Large blocks on huge pages: a month is columns of megabytes, and a first touch of each of their 4 KiB pages is a fault, a
//! seventh of a month's processor time. Linux mostly gives huge pages only where they are asked for.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, whose blocks of `LARGE` bytes and more lie on huge pages, of 2 MiB on most processors, where the
/// kernel has some. Each program and library has its own: `#[global_allocator]` is said there.
///
/// ```standalone_crate
/// use base::huge_pages::HugePages;
///
/// #[global_allocator]
/// static ALLOCATOR: HugePages<{ 2 << 20 }> = HugePages;
/// ```
pub struct HugePages<const LARGE: usize>;

// SAFETY: every block is the system allocator's own and given back to it with the layout it was asked for; advice about
// pages changes nothing that a program can read.
#[allow(unsafe_code)]
unsafe impl<const LARGE: usize> GlobalAlloc for HugePages<LARGE> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        advise::<LARGE>(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc_zeroed`, which is the same.
        advise::<LARGE>(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is one of `System`, and the caller keeps the rest of the contract.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the block is one of `System`, and the caller keeps the rest of the contract.
        advise::<LARGE>(unsafe { System.realloc(block, layout, size) }, size)
    }
}

/// Asks for huge pages under the whole pages of a large block.
#[cfg(target_os = "linux")]
#[inline]
fn advise<const LARGE: usize>(block: *mut u8, size: usize) -> *mut u8 {
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
fn advise<const LARGE: usize>(block: *mut u8, _size: usize) -> *mut u8 {
    block
}
