//! Labels computed anew: every column of every mode of sampled rows, by following each trade bar by bar.

use kernels::labels::{self, Direction, Entry, Output, Specification, Tie};
use proptests::{
    Profile, Tape,
    trades::{self, Distance, Mode, Spec, Trade},
};

use super::{
    finding::{BrokenRows, Check, RowRule},
    making::Making,
    output::utc,
    table::Rows,
};

const fn rule(name: &'static str, expected: &'static str) -> RowRule {
    RowRule { check: Check::Data, name, expected }
}

const LABEL: RowRule = rule("label", "what the bars after the row decide");
const WEIGHT: RowRule = rule("weight", "quality times velocity times decay of the trade computed anew");
const TRADE: RowRule = rule("trade", "exit, seconds and ticks of the trade computed anew");
const UNIQUENESS: RowRule = rule("uniqueness", "the share computed anew, to the last bit");

/// A specification as the reference takes it.
fn spec(specification: &Specification) -> Spec {
    let distance = |distance| match distance {
        labels::Distance::Ticks(ticks) => Distance::Ticks(ticks.into()),
        labels::Distance::Atr(multiple) => Distance::Atr((multiple.value() * 1e6).round() as i64),
    };
    let mode = |mode: &labels::Mode| Mode {
        name: mode.name.to_string(),
        long: mode.direction == Direction::Long,
        stop: distance(mode.stop),
        target: distance(mode.target),
        trailing: mode.trailing,
    };
    Spec {
        horizon: specification.horizon(),
        at_close: specification.entry() == Entry::Close,
        tie_wins: specification.tie() == Tie::Target,
        modes: specification.modes().iter().map(mode).collect(),
    }
}

/// A session within its series.
pub struct Session<'a> {
    /// The series.
    pub series: &'a Tape,
    /// Its first row there.
    pub first: usize,
    /// What is published of it.
    pub rows: &'a Rows,
    /// The rows to look at.
    pub picked: &'a [usize],
}

impl Session<'_> {
    /// Compares the picked rows; `months` says how old a row of the series is.
    pub fn compare(&self, making: &Making, months: &dyn Fn(usize) -> i32, broken: &mut BrokenRows) {
        let specification = &*making.labels.specification;
        let profile = match making.profile {
            kernels::Profile::Session => Profile::Session,
            kernels::Profile::Rolling => Profile::Rolling,
        };
        let spec = spec(specification);
        let affected = trades::affected_rows(self.series, profile, making.gap());
        let trade = |mode: &Mode, i: usize| {
            trades::trade(self.series, i, &spec, mode, &affected, trades::atr_sum(self.series, i))
        };
        for (mode, found) in spec.modes.iter().zip(&self.rows.modes) {
            for &row in self.picked {
                let i = self.first + row;
                let trade = trade(mode, i);
                let at = || utc(self.series.time[i]);
                let (label, published) = (i8::from(trade.exit == 1), found.label[row]);
                if label != published {
                    broken.add(&LABEL, &format!("label_{}", mode.name), || {
                        format!("{published} at {}, not {label}", at())
                    });
                }
                if let Some(&published) = found.weight.get(row) {
                    let weight = trades::weight(&trade, months(i));
                    // A NaN is none of it.
                    let near = (f64::from(published) - weight).abs() <= 1e-6 * weight.abs();
                    if !near {
                        let found = || format!("{published} at {}, not {weight:.7}", at());
                        broken.add(&WEIGHT, &format!("weight_{}", mode.name), found);
                    }
                }
                for (output, values) in &found.numbers {
                    let (published, expected) = (values[row], number(*output, &trade));
                    if published != expected {
                        let column = format!("{}_{}", output.name(), mode.name);
                        broken.add(&TRADE, &column, || format!("{published} at {}, not {expected}", at()));
                    }
                }
            }
            if !found.uniqueness.is_empty() {
                self.uniqueness(spec.horizon, mode, &|i| trade(mode, i), &found.uniqueness, broken);
            }
        }
    }

    /// Uniqueness needs every trade that may be open beside the session's.
    fn uniqueness(
        &self,
        horizon: usize,
        mode: &Mode,
        trade: &dyn Fn(usize) -> Trade,
        published: &[f32],
        broken: &mut BrokenRows,
    ) {
        let from = self.first.saturating_sub(horizon);
        let to = self.series.len().min(self.first + published.len() + horizon);
        let all: Vec<Trade> = (from..to).map(trade).collect();
        let open = trades::open(&all);
        for &row in self.picked {
            let i = self.first + row;
            let (published, expected) = (published[row], trades::uniqueness(&all, &open, i - from));
            if published.to_bits() != expected.to_bits() {
                let found = || format!("{published} at {}, not {expected}", utc(self.series.time[i]));
                broken.add(&UNIQUENESS, &format!("uniqueness_{}", mode.name), found);
            }
        }
    }
}

/// A figure of a trade in 16 bits.
fn number(output: Output, trade: &Trade) -> i16 {
    let value = match output {
        Output::Exit => trade.exit,
        Output::Seconds => trade.seconds,
        Output::Mae => trade.mae,
        Output::Mfe => trade.mfe,
        Output::Move => trade.moved,
        Output::Label | Output::Weight | Output::Uniqueness => 0,
    };
    value.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}
