//! Which trades are labelled, and what is said of them.

use std::borrow::Cow;

/// Modes a specification may have.
pub const MAX_MODES: usize = 64;
/// Rows after the signal bar on which a trade may be decided, at most.
pub const MAX_HORIZON: u16 = 3600;
/// The farthest stop or target in ticks.
pub const MAX_TICKS: u16 = 4095;

/// Which way a trade wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Wins when the price rises.
    Long,
    /// Wins when the price falls.
    Short,
}

/// A multiple of the ATR, of at most six decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Multiple {
    millionths: u32,
}

impl Multiple {
    /// The largest: a distance then fits 31 bits.
    pub const MAX: f64 = 100.0;

    const ONE: u32 = 1_000_000;

    /// The multiple of that value; `None` where it is not above 0 and at most [`Multiple::MAX`], or has more than six
    /// decimals.
    ///
    /// ```
    /// use kernels::labels::Multiple;
    ///
    /// assert_eq!(Multiple::new(1.5).map(Multiple::value), Some(1.5));
    /// assert_eq!([0.0, -1.0, 100.1, 0.000_000_1, f64::NAN].map(Multiple::new), [None; 5]);
    /// ```
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        if !(value > 0.0 && value <= Self::MAX) {
            return None;
        }
        let multiple = Self { millionths: (value * f64::from(Self::ONE)).round() as u32 };
        // The quotient is rounded as the decimal number was when it became a float.
        (multiple.value() == value && multiple.millionths > 0).then_some(multiple)
    }

    /// As a number.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.millionths) / f64::from(Self::ONE)
    }

    /// This many times an ATR whose 300 true ranges have this sum, in whole ticks: half up, at least 1.
    #[inline(always)]
    pub(super) fn ticks(self, sum: i32) -> i32 {
        // sum/300 * millionths/1e6, in twice its numerator and denominator. The sum has 31 bits, the multiple 27.
        const DENOMINATOR: i64 = 2 * 300 * Multiple::ONE as i64;
        let numerator = 2 * i64::from(sum) * i64::from(self.millionths) + DENOMINATOR / 2;
        ((numerator / DENOMINATOR) as i32).max(1)
    }
}

/// How far a barrier is from the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Distance {
    /// So many ticks, 1 to [`MAX_TICKS`].
    Ticks(u16),
    /// So many times `atr_300s` of the signal row, rounded to whole ticks (half up), at least 1. While there is no such value
    /// there is no trade.
    Atr(Multiple),
}

/// One kind of trade.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mode {
    /// Name as in the columns `label_<name>`: `[a-z0-9_]+`.
    pub name: Cow<'static, str>,
    /// Which way it wins.
    pub direction: Direction,
    /// Distance against the entry that ends it.
    pub stop: Distance,
    /// Distance for the entry that wins it.
    pub target: Distance,
    /// Whether the stop follows the best price of earlier rows at its distance.
    pub trailing: bool,
}

/// The price a trade is entered at. Either way its first row is the one after the signal bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Entry {
    /// The open of the row after the signal bar.
    #[default]
    NextOpen,
    /// The close of the signal bar.
    Close,
}

/// What a row that reaches both barriers is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tie {
    /// A loss.
    #[default]
    Stop,
    /// A win.
    Target,
}

/// A column of each mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Output {
    /// int8: 1 for a win, else 0.
    Label,
    /// float32: how much the row counts in training.
    Weight,
    /// int8: how the trade ended, see [`super::Exit`].
    Exit,
    /// int16: seconds from the entry row to the deciding row; -1 without a trade.
    Seconds,
    /// int16: worst move against the entry in ticks, of every trade.
    Mae,
    /// int16: best move for the entry in ticks, of every trade.
    Mfe,
    /// int16: ticks from entry to exit in the trade's direction.
    Move,
    /// float32: mean over the trade's rows of 1 / number of trades of the mode that are open on the row; 0 without a trade.
    Uniqueness,
}

impl Output {
    /// All of them, in the order of the columns.
    pub const ALL: [Self; 8] =
        [Self::Label, Self::Weight, Self::Exit, Self::Seconds, Self::Mae, Self::Mfe, Self::Move, Self::Uniqueness];

    /// Its name, which begins that of its columns: `mae_<mode>`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Weight => "weight",
            Self::Exit => "exit",
            Self::Seconds => "seconds",
            Self::Mae => "mae",
            Self::Mfe => "mfe",
            Self::Move => "move",
            Self::Uniqueness => "uniqueness",
        }
    }
}

/// What is wrong with a specification: the setting, what it is and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{key} = {found}: expected {expected}", .mode.map(|mode| format!("mode {}: ", mode + 1)).unwrap_or_default())]
pub struct Wrong {
    /// The mode it is of, counted from 0.
    pub mode: Option<usize>,
    /// The name of the setting.
    pub key: &'static str,
    /// What it is.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

/// The trades to label: at least one mode, at most [`MAX_MODES`].
///
/// ```
/// use kernels::labels::{Direction, Distance, Entry, Mode, Output, Specification, Tie};
///
/// let mode = |name: &str, stop, target| Mode {
///     name: name.to_owned().into(),
///     direction: Direction::Long,
///     stop: Distance::Ticks(stop),
///     target: Distance::Ticks(target),
///     trailing: false,
/// };
/// let modes = vec![mode("near", 4, 8), mode("far", 40, 80)];
/// let outputs = [Output::Label, Output::Exit];
/// let found = Specification::new(1800, Entry::NextOpen, Tie::Stop, &outputs, modes)?;
/// assert_eq!(found.columns().next(), Some("label_near".into()));
///
/// let refused = Specification::new(900, Entry::NextOpen, Tie::Stop, &outputs, vec![mode("none", 0, 8)]);
/// assert_eq!(refused.unwrap_err().to_string(), "mode 1: stop = 0: expected 1 to 4095 ticks");
/// # Ok::<(), kernels::labels::Wrong>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Specification {
    horizon: u16,
    entry: Entry,
    tie: Tie,
    outputs: Vec<Output>,
    modes: Vec<Mode>,
}

impl Specification {
    /// Checks the parts. The order of `outputs` does not matter.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(horizon: u16, entry: Entry, tie: Tie, outputs: &[Output], modes: Vec<Mode>) -> Result<Self, Wrong> {
        let wrong = |mode, key, found: &dyn ToString, expected: &str| {
            Err(Wrong { mode, key, found: found.to_string(), expected: expected.to_owned() })
        };
        if horizon == 0 || horizon > MAX_HORIZON {
            return wrong(None, "horizon", &horizon, "1 to 3600 rows");
        }
        let mut sorted = outputs.to_vec();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|two| two[0] == two[1]) {
            return wrong(None, "outputs", &format!("{} twice", twice[0].name()), "each output once");
        }
        if !sorted.contains(&Output::Label) {
            return wrong(None, "outputs", &"a list without label", "label among them");
        }
        if modes.is_empty() || modes.len() > MAX_MODES {
            return wrong(None, "mode", &format!("{} modes", modes.len()), "1 to 64 modes");
        }
        for (number, mode) in modes.iter().enumerate() {
            let of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            if mode.name.is_empty() || !mode.name.bytes().all(of_name) {
                return wrong(Some(number), "name", &mode.name, "lower-case letters, digits and _");
            }
            if let Some(first) = modes[..number].iter().position(|other| other.name == mode.name) {
                let expected = format!("another name than mode {}", first + 1);
                return wrong(Some(number), "name", &mode.name, &expected);
            }
            for (key, distance) in [("stop", mode.stop), ("target", mode.target)] {
                if let Distance::Ticks(ticks) = distance
                    && (ticks == 0 || ticks > MAX_TICKS)
                {
                    return wrong(Some(number), key, &ticks, "1 to 4095 ticks");
                }
            }
        }
        Ok(Self { horizon, entry, tie, outputs: sorted, modes })
    }

    /// Six modes that mean the same for every instrument: 1, 1.5 and 2 ATR against 2, 3 and 4, both ways.
    #[must_use]
    pub fn atr() -> Self {
        let atr = |tenths: u32| Distance::Atr(Multiple { millionths: tenths * Multiple::ONE / 10 });
        let modes = [Direction::Long, Direction::Short].into_iter().flat_map(|direction| {
            [("1", 10), ("1_5", 15), ("2", 20)].map(|(name, tenths)| {
                let side = if direction == Direction::Long { "long" } else { "short" };
                let (stop, target) = (atr(tenths), atr(2 * tenths));
                Mode { name: format!("atr_{name}_{side}").into(), direction, stop, target, trailing: false }
            })
        });
        Self::of(modes.collect())
    }

    /// These modes with everything else as it is by default.
    pub(super) fn of(modes: Vec<Mode>) -> Self {
        let (entry, tie) = (Entry::default(), Tie::default());
        Self { horizon: 900, entry, tie, outputs: vec![Output::Label, Output::Weight], modes }
    }

    /// Rows after the signal bar on which a trade may be decided, 1 to [`MAX_HORIZON`].
    #[must_use]
    pub fn horizon(&self) -> usize {
        self.horizon.into()
    }

    /// The price a trade is entered at.
    #[must_use]
    pub fn entry(&self) -> Entry {
        self.entry
    }

    /// What a row that reaches both barriers is.
    #[must_use]
    pub fn tie(&self) -> Tie {
        self.tie
    }

    /// The columns of each mode, in their order.
    #[must_use]
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Whether the modes have such a column.
    #[must_use]
    pub fn has(&self, output: Output) -> bool {
        self.outputs.contains(&output)
    }

    /// The modes in the order of the columns.
    #[must_use]
    pub fn modes(&self) -> &[Mode] {
        &self.modes
    }

    /// The names of the columns in their order: those of a mode side by side.
    pub fn columns(&self) -> impl Iterator<Item = String> + '_ {
        let of =
            |mode: &'_ Mode| self.outputs.iter().map(|output| format!("{}_{}", output.name(), mode.name)).collect();
        self.modes.iter().flat_map(move |mode| -> Vec<String> { of(mode) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(name: &str) -> Mode {
        let (stop, target) = (Distance::Ticks(1), Distance::Ticks(MAX_TICKS));
        Mode { name: name.to_owned().into(), direction: Direction::Short, stop, target, trailing: true }
    }

    fn refused(horizon: u16, outputs: &[Output], modes: Vec<Mode>) -> String {
        let found = Specification::new(horizon, Entry::Close, Tie::Target, outputs, modes);
        found.err().map(|wrong| wrong.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_is_no_specification_is_refused_with_what_was_expected() {
        let label = [Output::Label];
        assert_eq!(refused(3600, &label, vec![mode("a"), mode("a_1")]), "");
        assert_eq!(refused(0, &label, vec![mode("a")]), "horizon = 0: expected 1 to 3600 rows");
        assert_eq!(refused(3601, &label, vec![mode("a")]), "horizon = 3601: expected 1 to 3600 rows");
        let twice = [Output::Label, Output::Mae, Output::Mae];
        assert_eq!(refused(9, &twice, vec![mode("a")]), "outputs = mae twice: expected each output once");
        assert!(refused(9, &[Output::Mae], vec![mode("a")]).ends_with("expected label among them"));
        assert_eq!(refused(9, &label, vec![]), "mode = 0 modes: expected 1 to 64 modes");
        let names = (0..65).map(|number| mode(&format!("m{number}"))).collect::<Vec<_>>();
        assert_eq!(refused(9, &label, names[..64].to_vec()), "");
        assert_eq!(refused(9, &label, names), "mode = 65 modes: expected 1 to 64 modes");
        let names = vec![mode("a"), mode("b"), mode("a")];
        assert_eq!(refused(9, &label, names), "mode 3: name = a: expected another name than mode 1");
        assert!(refused(9, &label, vec![mode("A")]).starts_with("mode 1: name = A: expected lower-case"));
        assert!(refused(9, &label, vec![mode("")]).starts_with("mode 1: name = : expected"));
        let far = Mode { target: Distance::Ticks(MAX_TICKS + 1), ..mode("a") };
        assert_eq!(refused(9, &label, vec![far]), "mode 1: target = 4096: expected 1 to 4095 ticks");
    }

    #[test]
    fn multiples_of_an_atr_are_rounded_half_up_to_ticks() {
        let ticks = |multiple: f64, sum: i32| Multiple::new(multiple).unwrap().ticks(sum);
        // An ATR of 1 tick, of 5/3, of none.
        assert_eq!([ticks(1.5, 300), ticks(1.499_999, 300), ticks(2.5, 300)], [2, 1, 3]);
        assert_eq!([ticks(1.5, 500), ticks(1.5, 499), ticks(0.3, 500)], [3, 2, 1]);
        assert_eq!([ticks(100.0, 0), ticks(0.000_001, 300)], [1, 1]);
        // The widest bars there can be.
        assert_eq!(ticks(100.0, 300 * 5_242_880), 524_288_000);
    }

    #[test]
    fn columns_stand_by_mode_in_one_order_whatever_that_of_the_list() {
        let outputs = [Output::Uniqueness, Output::Label, Output::Move];
        let modes = vec![mode("a"), mode("b")];
        let found = Specification::new(9, Entry::Close, Tie::Stop, &outputs, modes).unwrap();
        let columns = ["label_a", "move_a", "uniqueness_a", "label_b", "move_b", "uniqueness_b"];
        assert!(found.columns().eq(columns));
        assert_eq!(Specification::default().columns().count(), 12);
    }

    #[test]
    fn presets_can_be_used() {
        for preset in [Specification::default(), Specification::atr()] {
            let Specification { horizon, entry, tie, outputs, modes } = preset.clone();
            assert_eq!(Specification::new(horizon, entry, tie, &outputs, modes), Ok(preset));
        }
        let names: Vec<_> = Specification::atr().modes.into_iter().map(|mode| mode.name).collect();
        assert_eq!(names[1..4], ["atr_1_5_long", "atr_2_long", "atr_1_short"]);
    }
}
