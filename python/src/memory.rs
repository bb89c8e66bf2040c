//! Large blocks on huge pages: the columns of a month are 90 MB, and a first touch of each of their 4 KiB pages costs more than
//! computing what is written there.

use base::huge_pages::HugePages;

#[global_allocator]
static ALLOCATOR: HugePages<{ 4 << 20 }> = HugePages;
