use jiff::ToSpan;

use super::*;
use crate::volumes::tests::traded;

/// Trading dates from 2013-12-02 on, with these volumes of each contract in the session.
fn days(expiries: &[&str], volumes: &[&[u64]]) -> Volumes {
    let first = Date::constant(2013, 12, 2);
    let day = |(number, volumes): (usize, &&[u64])| {
        let contracts = expiries.iter().zip(*volumes).map(|(expiry, &session)| traded(expiry, 0, session));
        (first.saturating_add((number as i64).days()), contracts.collect())
    };
    Volumes::of_days(volumes.iter().enumerate().map(day))
}

const ALL: fn(Month) -> bool = |_| true;

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// The front of each date of December by its index; `None` where there is no session.
fn fronts(choice: Choice, expiries: &[&str], volumes: &[&[u64]]) -> Vec<Option<usize>> {
    let fronts = Fronts::choose(month("2013-12"), &days(expiries, volumes), ALL, choice);
    let index = |decision: &Decision| match decision {
        Decision::Front { symbol, .. } => expiries.iter().position(|expiry| expiry == symbol),
        _ => None,
    };
    fronts.by_date.values().map(index).collect()
}

const QUARTERS: [&str; 2] = ["2013-12", "2014-03"];

#[test]
fn rolls_only_go_forward() {
    let days: [&[u64]; 4] = [&[10, 1], &[4, 6], &[9, 1], &[5, 0]];
    assert_eq!(fronts(Choice::Volume, &QUARTERS, &days), [Some(0), Some(1), Some(1), None]);
    // Without delivery months too.
    assert_eq!(fronts(Choice::Volume, &["a", "b"], &days), [Some(0), Some(1), Some(1), None]);
}

#[test]
fn volume_previous_uses_nothing_of_the_day() {
    let previous = |before: [u64; 2], session: [u64; 2]| {
        let contracts = [0, 1].map(|n| traded(QUARTERS[n], before[n], session[n])).to_vec();
        (Date::constant(2013, 12, 2), contracts)
    };
    let choose = |days: Vec<(Date, Vec<Traded>)>| {
        Fronts::alone(month("2013-12"), &Volumes::of_days(days.into_iter()), Choice::VolumePrevious)
    };
    let first = choose(vec![previous([1, 2], [10, 1])]);
    assert_eq!(first.sessions().next().unwrap().1, "2014-03");
    let later = (Date::constant(2013, 12, 3), previous([0, 0], [10, 1]).1);
    let second = choose(vec![previous([2, 1], [1, 10]), later]);
    assert_eq!(second.sessions().next().unwrap().1, "2013-12");
    let Some(Decision::Front { symbol, replaced: Some(replaced) }) = second.by_date.values().nth(1) else { panic!() };
    assert_eq!((symbol.as_str(), replaced.symbol.as_str()), ("2014-03", "2013-12"));
    assert_eq!((replaced.volume, replaced.volume_to), (1, 10));
}

#[test]
fn without_a_previous_volume_the_front_stays_and_without_a_front_something_trades() {
    let previous = |days: &[&[u64]]| fronts(Choice::VolumePrevious, &QUARTERS, days);
    // Nothing is known on the first date: the earliest expiry of those that trade.
    assert_eq!(previous(&[&[1, 10]]), [Some(0)]);
    assert_eq!(previous(&[&[0, 10]]), [Some(1)]);
    // 2014-03 is front on the second date; from the third on it does not trade any more.
    assert_eq!(previous(&[&[1, 10], &[1, 5], &[7, 0], &[7, 0]]), [Some(0), Some(1), None, None]);
}

#[test]
fn an_outage_of_the_front_is_no_roll() {
    let outage: [&[u64]; 4] = [&[10, 1], &[0, 2], &[9, 1], &[8, 1]];
    assert_eq!(fronts(Choice::Volume, &QUARTERS, &outage), [Some(0), None, Some(0), Some(0)]);
    // By the previous volume too: the date of the outage is no session that could decide.
    assert_eq!(fronts(Choice::VolumePrevious, &QUARTERS, &outage), [Some(0), None, Some(0), Some(0)]);
    let chosen = Fronts::choose(month("2013-12"), &days(&QUARTERS, &outage), ALL, Choice::Volume);
    assert_eq!(chosen.missing().collect::<Vec<_>>(), [(Date::constant(2013, 12, 3), "2013-12")]);
    assert!(!chosen.depend_on_the_month_after());

    // Back on the fifth trading date after, and on the sixth.
    let away = |dates: usize| [vec![&[10_u64, 1][..]], vec![&[0, 2]; dates], vec![&[9, 1]]].concat();
    assert_eq!(fronts(Choice::Volume, &QUARTERS, &away(5))[..3], [Some(0), None, None]);
    assert_eq!(fronts(Choice::Volume, &QUARTERS, &away(6))[..3], [Some(0), Some(1), Some(1)]);
    // A contract that has expired does not come back.
    assert_eq!(fronts(Choice::Volume, &QUARTERS, &[&[10, 1], &[0, 2]]), [Some(0), Some(1)]);
}

#[test]
fn contracts_that_have_each_others_records_for_a_date_are_no_roll() {
    // Volume and close of each contract.
    let of = |days: &[[(u64, i32); 2]]| {
        let first = Date::constant(2013, 12, 2);
        let day = |(number, day): (usize, &[(u64, i32); 2])| {
            let contract = |n: usize| Traded { close: Some(day[n].1), ..traded(QUARTERS[n], 0, day[n].0) };
            (first.saturating_add((number as i64).days()), vec![contract(0), contract(1)])
        };
        Volumes::of_days(days.iter().enumerate().map(day))
    };
    let usual = [(100, 7000), (3, 7040)];
    let choose = |days: &[[(u64, i32); 2]], choice| {
        let fronts = Fronts::choose(month("2013-12"), &of(days), ALL, choice);
        let swapped: Vec<i8> = fronts.swapped().map(|(date, ..)| date.day()).collect();
        let last = fronts.sessions().last().map(|(_, front)| front.to_owned()).unwrap();
        (swapped, last)
    };
    let swap = [usual, [(3, 7039), (99, 7002)], usual];
    for choice in [Choice::Volume, Choice::VolumePrevious] {
        assert_eq!(choose(&swap, choice), (vec![3], "2013-12".to_owned()), "{choice:?}");
    }
    // A swing of volumes is a roll, and so is what does not go back.
    for days in [[usual, [(3, 7000), (99, 7041)], usual], [usual, [(3, 7039), (99, 7002)], [(3, 7000), (99, 7040)]]] {
        assert_eq!(choose(&days, Choice::Volume), (vec![], "2014-03".to_owned()));
    }
    // Whether it goes back is for the month after to say.
    assert!(Fronts::choose(month("2013-12"), &of(&swap[..2]), ALL, Choice::Volume).depend_on_the_month_after());
}

#[test]
fn what_the_month_after_would_decide_is_known() {
    let december = |volumes: &Volumes| Fronts::choose(month("2013-12"), volumes, ALL, Choice::Volume);
    let of = |volumes: &[&[u64]]| {
        let first = Date::constant(2013, 12, 30);
        let day = |(number, volumes): (usize, &&[u64])| {
            let contracts = QUARTERS.iter().zip(*volumes).map(|(symbol, &session)| traded(symbol, 0, session));
            (first.saturating_add((number as i64).days()), contracts.collect())
        };
        december(&Volumes::of_days(volumes.iter().enumerate().map(day)))
    };
    let cut = of(&[&[10, 1], &[0, 4]]);
    assert!(cut.depend_on_the_month_after());
    assert_eq!(cut.sessions().map(|(_, front)| front).collect::<Vec<_>>(), ["2013-12", "2014-03"]);
    let whole = of(&[&[10, 1], &[0, 4], &[9, 1]]);
    assert_eq!(whole.missing().map(|(date, _)| date.day()).collect::<Vec<_>>(), [31]);
    assert!(!whole.depend_on_the_month_after());
}

#[test]
fn a_month_goes_on_with_the_front_of_the_months_before_and_without_them_starts_afresh() {
    let day = |text: &str, volumes: [u64; 2]| {
        let contracts = [0, 1].map(|n| traded(QUARTERS[n], 0, volumes[n])).to_vec();
        (text.parse::<Date>().unwrap(), contracts)
    };
    let volumes =
        Volumes::of_days([day("2013-10-31", [1, 9]), day("2013-11-01", [9, 1]), day("2013-12-02", [9, 1])].into_iter());
    let december = |there: fn(Month) -> bool| {
        let fronts = Fronts::choose(month("2013-12"), &volumes, there, Choice::Volume);
        let front = fronts.sessions().next().map(|(_, front)| front.to_owned());
        (fronts.before, front)
    };
    let some = |symbol: &str| Some(symbol.to_owned());
    assert_eq!(december(ALL), (some("2014-03"), some("2014-03")));
    assert_eq!(december(|month| month.month() == 11), (some("2013-12"), some("2013-12")));
    // October is there, but November is not.
    assert_eq!(december(|month| month.month() == 10), (None, some("2013-12")));
    // Six months without leading make an old roll none.
    let later = |text: &str| {
        let months = ["2013-11", "2013-12", "2014-01", "2014-02", "2014-03", "2014-04"];
        let days = [day("2013-10-31", [1, 9])].into_iter();
        let days = days.chain(months.map(|month| day(&format!("{month}-15"), [9, 1])));
        let days = days.chain([day(&format!("{text}-15"), [9, 1])]);
        Fronts::choose(month(text), &Volumes::of_days(days), ALL, Choice::Volume).before
    };
    assert_eq!((later("2014-04"), later("2014-05")), (some("2014-03"), some("2013-12")));
}

#[test]
fn a_roll_on_a_first_session_names_the_contract_of_the_month_before() {
    let mut volumes: Vec<&[u64]> = vec![&[10, 1]; 30];
    volumes.push(&[4, 6]);
    let january = Fronts::choose(month("2014-01"), &days(&QUARTERS, &volumes), ALL, Choice::Volume);
    let Some(Decision::Front { replaced: Some(replaced), .. }) = january.by_date.values().next() else { panic!() };
    assert_eq!((replaced.symbol.as_str(), replaced.volume, replaced.volume_to), ("2013-12", 4, 6));
    assert_eq!(replaced.since, Date::constant(2013, 12, 27));
}

#[test]
fn a_tie_goes_to_the_earlier_expiry_and_no_trade_is_no_session() {
    assert_eq!(fronts(Choice::Volume, &QUARTERS, &[&[5, 5], &[0, 0], &[5, 5]]), [Some(0), Some(0)]);
}
