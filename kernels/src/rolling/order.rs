//! Rank of the newest value of each window.
//!
//! Values are replaced by their place in the order of all, once. Short windows compare the newest place with every other
//! one, many rows at once; long ones keep count of how often each place is in the window, by groups and groups of groups.

use crate::lanes::{Lanes, ROWS};
use crate::window::rank::Rank;

/// Windows up to here are compared value by value.
const COMPARED: usize = 256;

/// Places from 0 on in the order of the keys, equal for equal keys.
pub(super) fn dense(keys: impl Iterator<Item = u64>) -> Vec<i32> {
    let mut sorted: Vec<(u64, u32)> = keys.zip(0..).collect();
    sorted.sort_unstable();
    let mut places = vec![0; sorted.len()];
    let (mut place, mut before) = (0, None);
    for (key, row) in sorted {
        place += i32::from(before.is_some_and(|before| before != key));
        before = Some(key);
        places[row as usize] = place;
    }
    places
}

/// The mean rank of the newest of each window's places, from 1 on; `out` begins with the first full window.
#[inline(always)]
pub(super) fn rank<L: Lanes>(places: &[i32], window: usize, out: &mut [f64]) {
    if window <= COMPARED {
        let mut rank = Rank::new(window, out.len());
        rank.take::<L>(places);
        for (out, &score) in out.iter_mut().zip(rank.scores()) {
            *out = f64::from(score + 1) / 2.0;
        }
        return;
    }
    let largest = places.iter().fold(0, |largest, &place| place.max(largest));
    let mut counts = Counts::new(largest as usize + 1);
    for &place in &places[..window - 1] {
        counts.add(place as usize, 1);
    }
    for (out, (&new, &old)) in out.iter_mut().zip(places[window - 1..].iter().zip(places)) {
        counts.add(new as usize, 1);
        let (less, equal) = (counts.less(new as usize), counts.cells[new as usize]);
        *out = f64::from(less) + f64::from(equal + 1) / 2.0;
        counts.add(old as usize, u32::MAX);
    }
}

/// How often each place is there, and the sums over 64 and over 4,096 of them.
struct Counts {
    cells: Vec<u32>,
    groups: Vec<u32>,
    tops: Vec<u32>,
}

impl Counts {
    fn new(places: usize) -> Self {
        let tops = places / (ROWS * ROWS) + 1;
        Self { cells: vec![0; tops * ROWS * ROWS], groups: vec![0; tops * ROWS], tops: vec![0; tops] }
    }

    /// Adds, wrapping.
    #[inline(always)]
    fn add(&mut self, place: usize, times: u32) {
        for count in [&mut self.cells[place], &mut self.groups[place / ROWS], &mut self.tops[place / (ROWS * ROWS)]] {
            *count = count.wrapping_add(times);
        }
    }

    /// How many places are less.
    #[inline(always)]
    fn less(&self, place: usize) -> u32 {
        let (group, top) = (place / ROWS, place / (ROWS * ROWS));
        let sum = |counts: &[u32]| counts.iter().fold(0_u32, |sum, &count| sum.wrapping_add(count));
        sum(&self.tops[..top]) + sum(&self.groups[top * ROWS..group]) + sum(&self.cells[group * ROWS..place])
    }
}
