//! The trading dates a month should have.

use data::{
    Month,
    holidays::{Hours, hours},
};
use jiff::{civil::Date, tz::TimeZone};

use crate::Statistics;

/// Mondays to Fridays of the month, from the first to the last date of `covered`, that are neither in `sessions` nor full
/// holidays.
pub fn missing_weekdays(month: Month, covered: (Date, Date), sessions: &[Date]) -> Vec<Date> {
    let (first, last) = (month.first_day().max(covered.0), month.last_day().min(covered.1));
    let dates = std::iter::successors(Some(first), |date| date.tomorrow().ok()).take_while(|date| *date <= last);
    let expected = dates.filter(|date| hours(*date) != Hours::Closed);
    expected.filter(|date| !sessions.contains(date)).collect()
}

/// The missing weekdays of a month, from its own figures: the dates its inputs cover and its sessions.
pub fn missing_of(statistics: &Statistics, zone: &TimeZone) -> Vec<Date> {
    let date = |time: jiff::Timestamp| zone.to_datetime(time).date();
    let first = statistics.inputs.iter().filter_map(|input| input.first).min();
    let last = statistics.inputs.iter().filter_map(|input| input.last).max();
    let Some((first, last)) = first.zip(last) else { return Vec::new() };
    let sessions: Vec<Date> = statistics.sessions.iter().map(|session| session.date).collect();
    missing_weekdays(statistics.month, (date(first), date(last)), &sessions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(day: i8) -> Date {
        Date::constant(2013, 11, day)
    }

    #[test]
    fn weekdays_without_a_session_are_missing() {
        let month: Month = "2013-11".parse().unwrap();
        let whole = (Date::constant(2013, 10, 31), Date::constant(2013, 12, 1));
        assert_eq!(missing_weekdays(month, whole, &[]).len(), 21);
        // The 2nd and 3rd were a weekend.
        let sessions: Vec<Date> = (1..=30).filter(|day| *day != 28).map(date).collect();
        assert_eq!(missing_weekdays(month, whole, &sessions), [date(28)]);
        // Good Friday and Christmas are no missing days.
        let closed = |month: &str, day: Date| missing_weekdays(month.parse().unwrap(), (day, day), &[]);
        assert_eq!(closed("2013-12", Date::constant(2013, 12, 25)), []);
        assert_eq!(closed("2013-03", Date::constant(2013, 3, 29)), []);
        assert_eq!(closed("2013-03", Date::constant(2013, 3, 28)).len(), 1);
    }

    #[test]
    fn only_what_the_input_covers_is_expected() {
        let month: Month = "2013-11".parse().unwrap();
        // Friday to Tuesday.
        assert_eq!(missing_weekdays(month, (date(8), date(12)), &[date(11)]), [date(8), date(12)]);
        let later = (Date::constant(2013, 12, 2), Date::constant(2013, 12, 31));
        assert_eq!(missing_weekdays(month, later, &[]), []);
    }
}
