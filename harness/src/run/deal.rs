//! The months of a range, dealt out to the tasks of an array job by size, so that the tasks end together.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use archive::discover::RawFile;
use data::Month;

use super::task::Task;

/// The months of a task, in order. From one listing every month goes to exactly one task, also one without a raw file.
///
/// The largest first, each to the task that has least so far: no task gets more than a third above the best division.
pub fn share(months: &[Month], files: &[RawFile], task: Task) -> Vec<Month> {
    let mut sized: Vec<(u64, Month)> = months.iter().map(|&month| (bytes(month, files), month)).collect();
    sized.sort_unstable_by_key(|&(bytes, month)| (Reverse(bytes), month));
    // A task without months is the lightest: no more tasks than months are ever dealt to.
    let mut tasks: BinaryHeap<_> =
        (0..task.count.min(months.len())).map(|index| Reverse((0_u64, 0_usize, index))).collect();
    let mut dealt: BTreeMap<usize, Vec<Month>> = BTreeMap::new();
    for (bytes, month) in sized {
        let Some(Reverse((sum, held, index))) = tasks.pop() else { break };
        tasks.push(Reverse((sum.saturating_add(bytes), held + 1, index)));
        dealt.entry(index).or_default().push(month);
    }
    let mut months = dealt.remove(&task.index).unwrap_or_default();
    months.sort_unstable();
    months
}

/// A month's part of its raw files.
fn bytes(month: Month, files: &[RawFile]) -> u64 {
    let held = files.iter().filter(|file| file.holds(month));
    held.map(|file| file.bytes / file.months()).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use std::iter::successors;

    use proptest::prelude::*;

    use super::*;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    fn file(first: Month, last: Month, bytes: u64) -> RawFile {
        RawFile {
            key: format!("{first}-{last}"),
            bytes,
            e_tag: None,
            modified: None,
            dates: (first.first_day(), last.last_day()),
            first,
            last,
            schema: 0,
            has_symbology: false,
        }
    }

    fn months(count: usize) -> Vec<Month> {
        successors(Some(month("2010-07")), |month| month.next()).take(count).collect()
    }

    fn all(months: &[Month], files: &[RawFile], count: usize) -> Vec<Vec<Month>> {
        (0..count).map(|index| share(months, files, Task { index, count })).collect()
    }

    /// Months, and files of one month or several, some of them outside of the range, some months without any.
    fn archives(largest: u64) -> impl Strategy<Value = (Vec<Month>, Vec<RawFile>)> {
        let file_of = (0_usize..60, 0_usize..3, prop_oneof![Just(0), 1_u64..40, Just(largest)]);
        (0_usize..50, prop::collection::vec(file_of, 0..60)).prop_map(|(count, files)| {
            let known = months(64);
            let files = files.iter().map(|&(first, more, bytes)| file(known[first], known[first + more], bytes));
            (months(count), files.collect())
        })
    }

    proptest! {
        #[test]
        fn every_month_is_dealt_to_exactly_one_task((months, files) in archives(u64::MAX), count in 1_usize..70) {
            let mut dealt = all(&months, &files, count).concat();
            dealt.sort_unstable();
            prop_assert_eq!(dealt, months);
        }

        #[test]
        fn the_order_of_the_listing_is_of_no_account((months, files) in archives(u64::MAX), count in 1_usize..70) {
            let reversed: Vec<RawFile> = files.iter().rev().cloned().collect();
            prop_assert_eq!(all(&months, &files, count), all(&months, &reversed, count));
        }

        /// Whoever has most has at most his last month more than any other: they end together.
        #[test]
        fn no_task_has_a_month_more_than_another_could_take((months, files) in archives(100), count in 1_usize..70) {
            let of = |months: &Vec<Month>| months.iter().map(|&month| bytes(month, &files)).sum::<u64>();
            let dealt = all(&months, &files, count);
            let least = dealt.iter().map(of).min().unwrap();
            for task in &dealt {
                let smallest = task.iter().map(|&month| bytes(month, &files)).min().unwrap_or(0);
                prop_assert!(of(task) - smallest <= least);
            }
        }
    }

    #[test]
    fn large_months_are_parted_and_small_ones_fill_up() {
        let months = months(4);
        let files: Vec<RawFile> =
            months.iter().zip([90, 10, 80, 30]).map(|(&month, bytes)| file(month, month, bytes)).collect();
        assert_eq!(all(&months, &files, 2), [[months[0], months[1]], [months[2], months[3]]]);
    }

    #[test]
    fn a_file_of_several_months_counts_for_each_in_part() {
        let months = months(3);
        let files = [file(months[0], months[1], 40), file(months[1], months[1], 7)];
        let bytes: Vec<u64> = months.iter().map(|&month| bytes(month, &files)).collect();
        assert_eq!(bytes, [20, 27, 0]);
    }
}
