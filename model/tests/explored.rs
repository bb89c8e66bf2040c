//! The model to its end, and without each of its guards.

use model::{Guards, Job, Protocol};
use stateright::{Checker, Model};

/// Three workers at one month, in the ways they can meet.
fn meetings(guards: Guards) -> Vec<Protocol> {
    // A month that is removed has no manifest to move on: there the day counts, and nowhere else.
    let of = |published, jobs: &[Job]| {
        let clock_jumps = !jobs.contains(&Job::Remove) && (published || !jobs.contains(&Job::Look));
        Protocol { guards, published, jobs: jobs.to_vec(), clock_jumps }
    };
    vec![
        of(true, &[Job::Publish(1), Job::Publish(2), Job::Look]),
        of(true, &[Job::Publish(1), Job::Publish(1), Job::Look]),
        of(false, &[Job::Publish(1), Job::Publish(2), Job::Publish(1)]),
        of(false, &[Job::Publish(1), Job::Publish(2), Job::Look]),
        of(false, &[Job::Publish(1), Job::Publish(2), Job::Remove]),
        of(true, &[Job::Publish(1), Job::Remove, Job::Look]),
        of(true, &[Job::Publish(1), Job::Publish(2), Job::Publish(1)]),
    ]
}

#[test]
fn whatever_three_workers_do_the_month_is_whole() {
    let mut all = 0;
    for protocol in meetings(Guards::ALL) {
        let what = format!("{:?}, published {}", protocol.jobs, protocol.published);
        let checker = protocol.checker().threads(2).spawn_bfs().join();
        eprintln!("{what}: {} states", checker.unique_state_count());
        if let Some((property, path)) = checker.discoveries().into_iter().next() {
            panic!("{what}: not so: {property}\n{:#?}", path.into_actions());
        }
        all += checker.unique_state_count();
    }
    eprintln!("{all} states in all");
    assert!(all > 1_000_000, "something is not tried any more");
}

/// Takes a guard away.
type Remove = fn(&mut Guards);

#[test]
fn without_any_of_its_guards_something_fails() {
    let without: [(&str, Remove); 11] = [
        ("names of their own", |guards| guards.own_names = false),
        ("copies under names of their own", |guards| guards.own_copies = false),
        ("a condition on the commit", |guards| guards.condition = false),
        ("reading back", |guards| guards.read_back = false),
        ("the copy before the commit", |guards| guards.copy_first = false),
        ("doubt after a commit that was not answered", |guards| guards.doubt = false),
        ("moving the manifest on before deleting what may be committed", |guards| guards.fence = false),
        ("a retention for readers", |guards| guards.grace = false),
        ("a day for what was begun", |guards| guards.age = false),
        ("an end to what was begun a day ago", |guards| guards.late = false),
        ("a condition on deleting the manifest", |guards| guards.delete_condition = false),
    ];
    for (what, remove) in without {
        let mut guards = Guards::ALL;
        remove(&mut guards);
        let found = meetings(guards).into_iter().find_map(|protocol| {
            let jobs = format!("{:?}", protocol.jobs);
            let checker = protocol.checker().threads(2).finish_when(stateright::HasDiscoveries::Any).spawn_bfs().join();
            checker.discoveries().into_iter().next().map(|(property, path)| (jobs, property, path.into_actions()))
        });
        let (jobs, property, path) = found.unwrap_or_else(|| panic!("nothing fails without {what}"));
        eprintln!("without {what}, {jobs}: not so after {} steps: {property}", path.len());
    }
}
