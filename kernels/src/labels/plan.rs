//! What has to be known of each entry: every barrier once, however many modes have it.

use super::{Direction, Distance, Mode};

#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// The distances of all barriers.
    pub(super) distances: Vec<Distance>,
    /// The barriers of all modes.
    pub(super) barriers: Vec<Barrier>,
    /// The modes, by their barriers.
    pub(super) modes: Vec<Traded>,
    /// The places of the barriers that stay where they are.
    pub(super) fixed: Vec<usize>,
    /// Of those that follow the price, by their own places.
    pub(super) trailing: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Barrier {
    /// The side of the trade that has it. A target is reached where this side wins, a stop where it loses.
    pub(super) side: Direction,
    /// Whether highs reach it.
    pub(super) above: bool,
    /// Its distance, by place.
    pub(super) distance: usize,
    /// Whether it follows the price: then its place among those that do.
    pub(super) trailing: Option<usize>,
}

/// A mode by the places of its barriers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traded {
    pub(super) direction: Direction,
    pub(super) stop: usize,
    pub(super) target: usize,
    /// Whether there is no trade without an ATR.
    pub(super) needs_atr: bool,
}

impl Plan {
    pub(super) fn new(modes: &[Mode]) -> Self {
        let mut plan = Self::default();
        for mode in modes {
            let long = mode.direction == Direction::Long;
            let target = plan.barrier(mode.direction, long, mode.target, false);
            let stop = plan.barrier(mode.direction, !long, mode.stop, mode.trailing);
            let needs_atr = [mode.stop, mode.target].iter().any(|distance| matches!(distance, Distance::Atr(_)));
            plan.modes.push(Traded { direction: mode.direction, stop, target, needs_atr });
        }
        plan
    }

    /// Whether a distance is a multiple of the ATR.
    pub(super) fn needs_atr(&self) -> bool {
        self.modes.iter().any(|mode| mode.needs_atr)
    }

    /// The place of a barrier.
    fn barrier(&mut self, side: Direction, above: bool, distance: Distance, trailing: bool) -> usize {
        let distance = place(&mut self.distances, |&one| one == distance, || distance);
        let same = |one: &Barrier| (one.above, one.distance, one.trailing.is_some()) == (above, distance, trailing);
        let known = self.barriers.len();
        let following = trailing.then_some(self.trailing.len());
        let found = place(&mut self.barriers, same, || Barrier { side, above, distance, trailing: following });
        if found == known {
            let places = if trailing { &mut self.trailing } else { &mut self.fixed };
            places.push(found);
        }
        found
    }
}

/// Where the first such element is; it is added if there is none.
fn place<T>(elements: &mut Vec<T>, same: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> usize {
    elements.iter().position(same).unwrap_or_else(|| {
        elements.push(new());
        elements.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_stops_and_targets_share_their_barriers() {
        let mode = |direction, stop, target, trailing| Mode {
            name: "".into(),
            direction,
            stop: Distance::Ticks(stop),
            target: Distance::Ticks(target),
            trailing,
        };
        let pairs = (1..=8).flat_map(|stop| (1..=8).map(move |target| (stop, target)));
        let modes: Vec<Mode> = pairs.map(|(stop, target)| mode(Direction::Long, stop, target, false)).collect();
        let plan = Plan::new(&modes);
        assert_eq!((plan.distances.len(), plan.barriers.len(), plan.modes.len()), (8, 16, 64));
        // The stop of a long trade is where a short one wins; one that follows the price is another.
        let short =
            Plan::new(&[modes[9].clone(), mode(Direction::Short, 2, 2, false), mode(Direction::Short, 2, 2, true)]);
        assert_eq!((short.fixed.len(), short.trailing.len()), (2, 1));
        assert_eq!((short.modes[0].stop, short.modes[0].target), (short.modes[1].target, short.modes[1].stop));
    }
}
