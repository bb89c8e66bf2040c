//! Several months at once: taken in order, handed over in order.

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

/// Does `work` for each item on `workers` threads, which take the items in order, and gives the results to `done`, on the
/// calling thread and in order. After `done` said no, no further item is begun.
pub fn in_order<T: Sync, R: Send>(
    items: &[T],
    workers: usize,
    work: impl Fn(&T) -> R + Sync,
    mut done: impl FnMut(R) -> bool,
) {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..workers.clamp(1, items.len().max(1)) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(number) else { break };
                    if sender.send((number, work(item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let (mut early, mut expected) = (BTreeMap::new(), 0);
        for (number, result) in receiver {
            early.insert(number, result);
            while let Some(result) = early.remove(&expected) {
                expected += 1;
                if !done(result) {
                    next.store(items.len(), Ordering::Relaxed);
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whoever_is_first() {
        let items: Vec<u64> = (0..40).collect();
        let mut seen = Vec::new();
        // Every third item is slow, so that later ones overtake it.
        let work = |&item: &u64| {
            if item % 3 == 0 {
                (0..20_000 * (item % 5)).for_each(|turn| assert!(std::hint::black_box(turn) < 100_000));
            }
            item
        };
        in_order(&items, 4, work, |item| {
            seen.push(item);
            true
        });
        assert_eq!(seen, items);
    }

    #[test]
    fn after_a_no_nothing_new_is_begun() {
        let items: Vec<usize> = (0..1000).collect();
        let begun = AtomicUsize::new(0);
        let mut seen = 0;
        let work = |_: &usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            thread::sleep(std::time::Duration::from_millis(1));
        };
        in_order(&items, 2, work, |()| {
            seen += 1;
            seen < 3
        });
        assert!(begun.into_inner() < 50);
    }
}
