//! The steps, and what must hold after each.

use stateright::{Model, Property};

use crate::{
    job::{Job, Sent, Step, Worker},
    store::{ATTEMPTS, Manifest, Objects, Version, bit},
};

/// What the protocol relies on. Each can be taken away, and then some property must fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guards {
    /// Each attempt has names of its own.
    pub own_names: bool,
    /// Copies in the history, too.
    pub own_copies: bool,
    /// The manifest is written under a condition.
    pub condition: bool,
    /// What was made is read back before it is named.
    pub read_back: bool,
    /// What is replaced is copied before the commit.
    pub copy_first: bool,
    /// Who does not know what became of its commit leaves what it made.
    pub doubt: bool,
    /// What is of a later generation goes only after the manifest was moved on.
    pub fence: bool,
    /// What was replaced stays for its retention.
    pub grace: bool,
    /// What was begun goes only after that time.
    pub age: bool,
    /// Nothing is committed a day after it was begun.
    pub late: bool,
    /// A manifest is deleted under a condition.
    pub delete_condition: bool,
}

impl Guards {
    /// All.
    pub const ALL: Self = Self {
        own_names: true,
        own_copies: true,
        condition: true,
        read_back: true,
        copy_first: true,
        doubt: true,
        fence: true,
        grace: true,
        age: true,
        late: true,
        delete_condition: true,
    };
}

/// One month and its workers.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// What is relied on.
    pub guards: Guards,
    /// The month is published, as version 0, when they begin.
    pub published: bool,
    /// What the workers do.
    pub jobs: Vec<Job>,
    /// The store's clock can jump by a day, while the workers' does not.
    pub clock_jumps: bool,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    manifest: Option<Manifest>,
    /// What is kept of a removal.
    record: Option<Manifest>,
    objects: Objects,
    /// Named by manifests that were replaced a shorter while ago than that: readers may be at them.
    recent: Objects,
    /// A day has passed since the last commit.
    rested: bool,
    /// What was made longer ago than that.
    aged: Objects,
    /// For which generation each object was made, by its number.
    generations: [u8; 16],
    workers: Vec<Worker>,
    /// Versions that were ever committed, a bit each.
    committed: u8,
}

impl State {
    /// What is kept of a removal, where it counts: there is no manifest, or one that lacks a version of it.
    fn kept(&self) -> Option<&Manifest> {
        let more = |record: &&Manifest| {
            self.manifest.as_ref().is_none_or(|manifest| {
                let known = |version: Version| manifest.versions().any(|known| known.version == version.version);
                !record.versions().all(known)
            })
        };
        self.record.as_ref().filter(more)
    }

    /// The versions that are named.
    fn versions(&self) -> impl Iterator<Item = Version> {
        self.manifest.iter().chain(self.kept()).flat_map(Manifest::versions)
    }

    /// The objects that are named.
    fn named(&self) -> Objects {
        self.manifest.iter().chain(self.kept()).fold(0, |objects, manifest| objects | manifest.objects())
    }
}

/// One step of one worker, or of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A worker's next step.
    Goes(u8),
    /// The same, and what it asks for is not done, though it believes so.
    Fails(u8),
    /// Its commit arrives, and it hears.
    Arrives(u8),
    /// Its commit arrives, and the answer is lost, or it is not waiting any more; the same request may arrive again.
    ArrivesUnheard(u8),
    /// It gives up waiting for an answer.
    GivesUp(u8),
    /// A day passes.
    Day,
}

impl Protocol {
    fn own(&self, worker: usize) -> u8 {
        match self.jobs[worker] {
            Job::Publish(version) if !self.guards.own_names => version,
            _ => worker as u8 + 1,
        }
    }

    /// The copy that a worker makes of an object.
    fn copy(&self, worker: usize, of: u8) -> u8 {
        let maker = if self.guards.own_names && self.guards.own_copies { worker as u8 + 1 } else { of % ATTEMPTS };
        ATTEMPTS + maker
    }

    /// Reads the month, and lists what nothing names.
    fn read(&self, state: &State, worker: &mut Worker) {
        worker.read = state.manifest.clone().or_else(|| state.record.clone());
        let generation = worker.read.as_ref().map_or(0, |manifest| manifest.generation);
        let unnamed = state.objects & !state.named();
        let later = |number: &u8| self.guards.own_names && state.generations[*number as usize] > generation;
        worker.begun = (0..16).filter(later).fold(0, |objects, number| objects | bit(number)) & unnamed;
        worker.past = unnamed & !worker.begun;
    }

    /// A worker's commit.
    fn commit(&self, index: usize, worker: &Worker) -> Sent {
        let expected = worker.read.as_ref().filter(|_| worker.over_another()).map(Manifest::tag);
        let Job::Publish(version) = self.jobs[index] else { return Sent { expected, manifest: None } };
        let current = Version { version, object: self.own(index) };
        let replaced = worker.read.as_ref().and_then(|manifest| manifest.current);
        let replaced = replaced.filter(|replaced| replaced.version != version);
        let kept = replaced.map(|replaced| Version { object: self.copy(index, replaced.object), ..replaced });
        let before = worker.read.iter().flat_map(|manifest| manifest.history.clone());
        let history = kept.into_iter().chain(before.filter(|before| before.version != version)).collect();
        let writer = index as u8 + 1;
        let (generation, current) = (worker.generation, Some(current));
        Sent { expected, manifest: Some(Manifest { generation, writer, current, history }) }
    }

    /// What arrives at the store; whether it was done.
    fn arrive(&self, state: &mut State, sent: &Sent) -> bool {
        let holds = state.manifest.as_ref().map(Manifest::tag) == sent.expected;
        let asked = if sent.manifest.is_some() { self.guards.condition } else { self.guards.delete_condition };
        if asked && !holds {
            return false;
        }
        let version = sent.manifest.as_ref().and_then(|manifest| manifest.current);
        state.committed |= version.map_or(0, |version| 1 << version.version);
        let before = state.manifest.as_ref().map_or(0, Manifest::objects);
        state.recent |= before;
        state.recent &= !sent.manifest.as_ref().map_or(0, Manifest::objects);
        state.manifest = sent.manifest.clone();
        state.rested = false;
        true
    }

    fn step(&self, state: &mut State, index: usize, done: bool) {
        let mut worker = state.workers[index].clone();
        let job = self.jobs[index];
        worker.step = match worker.step.clone() {
            Step::Idle => {
                self.read(state, &mut worker);
                if job != Job::Look {
                    (worker.begun, worker.past) = (0, 0);
                }
                worker.generation = worker.read.as_ref().map_or(0, |manifest| manifest.generation) + 1;
                let current = worker.read.as_ref().and_then(|manifest| manifest.current);
                match (job, current) {
                    (Job::Look, _) => {
                        // It asked for the time before.
                        (worker.rested, worker.aged) = (state.rested, state.aged);
                        Step::Looked
                    }
                    (Job::Publish(version), Some(current)) if current.version == version => Step::Gone,
                    (Job::Remove, None) => Step::Gone,
                    (Job::Remove, Some(_)) => Step::Checked,
                    _ => Step::Read,
                }
            }
            Step::Read => {
                self.make(state, &mut worker, self.own(index), done);
                if done || !self.guards.read_back { Step::Checked } else { Step::Withdraws }
            }
            Step::Checked => {
                let replaced = worker.read.as_ref().and_then(|manifest| manifest.current);
                let same = |replaced: &Version| matches!(job, Job::Publish(version) if version == replaced.version);
                if let Some(replaced) = replaced.filter(|replaced| !same(replaced)) {
                    let there = state.objects & bit(replaced.object) != 0;
                    let copy = self.copy(index, replaced.object);
                    self.make(state, &mut worker, copy, there && self.guards.copy_first);
                }
                Step::Kept
            }
            Step::Kept if self.guards.late && worker.late => Step::Withdraws,
            Step::Kept => {
                if job == Job::Remove {
                    let Some(read) = worker.read.clone() else { return };
                    let kept =
                        read.current.map(|current| Version { object: self.copy(index, current.object), ..current });
                    let mut history: Vec<Version> = kept.into_iter().chain(read.history).collect();
                    let more = |version: &Version| history.iter().all(|known| known.version != version.version);
                    let more: Vec<Version> =
                        state.kept().into_iter().flat_map(Manifest::versions).filter(more).collect();
                    history.extend(more);
                    let (generation, writer) = (worker.generation, index as u8 + 1);
                    state.record = Some(Manifest { generation, writer, current: None, history });
                }
                worker.sent = Some(self.commit(index, &worker));
                worker.committed = true;
                Step::Waits
            }
            Step::Waits => return,
            Step::Doubts => {
                if state.named() & worker.made != 0 {
                    Step::Gone
                } else {
                    Step::Withdraws
                }
            }
            Step::Withdraws => {
                let lost = worker.over_another()
                    && state.manifest.as_ref().is_some_and(|manifest| manifest.generation == worker.generation);
                let settled = !self.guards.doubt || !worker.committed || lost;
                if settled && state.named() & worker.made == 0 { Self::deletes(worker.made) } else { Step::Gone }
            }
            Step::Deletes(objects) => {
                let next = objects & objects.wrapping_neg();
                state.objects &= !next;
                if objects == next { Step::Gone } else { Step::Deletes(objects & !next) }
            }
            Step::Looked => self.look(state, index, &worker),
            Step::Gone => return,
        };
        match &worker.step {
            Step::Gone => worker = Worker { step: Step::Gone, sent: worker.sent, late: worker.late, ..Worker::new() },
            Step::Deletes(_) => {
                let (step, late) = (worker.step.clone(), worker.late);
                worker = Worker { step, late, sent: worker.sent, ..Worker::new() };
            }
            _ => {}
        }
        state.workers[index] = worker;
    }

    fn make(&self, state: &mut State, worker: &mut Worker, object: u8, done: bool) {
        worker.made |= bit(object);
        if done {
            state.objects |= bit(object);
            state.aged &= !bit(object);
            state.generations[object as usize] = worker.generation;
        }
    }

    /// Decides what goes of a month that was looked at, and moves the manifest on first where that is needed.
    fn look(&self, state: &mut State, index: usize, worker: &Worker) -> Step {
        let old = |objects: Objects, by: bool| if by { objects } else { 0 };
        let past = old(worker.past, worker.rested || !self.guards.grace);
        let begun = worker.begun & if self.guards.age { worker.aged } else { Objects::MAX };
        if begun != 0 && worker.over_another() && self.guards.fence {
            if state.manifest.as_ref().map(Manifest::tag) != worker.read.as_ref().map(Manifest::tag) {
                return Step::Gone;
            }
            let made = (0..16).filter(|&number| begun & bit(number) != 0);
            let latest = made.map(|number| state.generations[number as usize]).max().unwrap_or(0);
            if let Some(manifest) = &mut state.manifest {
                (manifest.generation, manifest.writer) = (latest, 10 + index as u8);
                state.rested = false;
            }
        }
        Self::deletes(begun | past)
    }

    fn deletes(objects: Objects) -> Step {
        if objects == 0 { Step::Gone } else { Step::Deletes(objects) }
    }

    /// Whether nothing that nothing names is left, if all workers stop here for good, a day passes, somebody looks at the
    /// month, and again a day later and another.
    fn is_tidy(&self, state: &State) -> bool {
        let mut state = state.clone();
        for _ in 0..3 {
            (state.rested, state.aged) = (true, state.objects);
            let mut last = Worker::new();
            self.read(&state, &mut last);
            (last.rested, last.aged) = (state.rested, state.aged);
            if let Step::Deletes(objects) = self.look(&mut state, 0, &last) {
                state.objects &= !objects;
            }
        }
        state.objects & !state.named() == 0
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let first = Version { version: 0, object: 0 };
        let manifest = Manifest { generation: 1, writer: 0, current: Some(first), history: Vec::new() };
        let mut generations = [0; 16];
        generations[0] = u8::from(self.published);
        vec![State {
            manifest: self.published.then_some(manifest),
            record: None,
            objects: Objects::from(self.published),
            recent: 0,
            rested: false,
            aged: 0,
            generations,
            workers: vec![Worker::new(); self.jobs.len()],
            committed: u8::from(self.published),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (index, worker) in state.workers.iter().enumerate() {
            let number = index as u8;
            match worker.step {
                Step::Gone => {}
                Step::Waits => actions.push(Action::GivesUp(number)),
                Step::Read if matches!(self.jobs[index], Job::Publish(_)) => {
                    actions.extend([Action::Goes(number), Action::Fails(number)])
                }
                _ => actions.push(Action::Goes(number)),
            }
            if worker.sent.is_some() {
                actions.push(Action::ArrivesUnheard(number));
                if worker.step == Step::Waits {
                    actions.push(Action::Arrives(number));
                }
            }
        }
        if !state.rested || state.aged != state.objects {
            actions.push(Action::Day);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Goes(worker) => self.step(&mut next, worker as usize, true),
            Action::Fails(worker) => self.step(&mut next, worker as usize, false),
            Action::Arrives(index) | Action::ArrivesUnheard(index) => {
                let sent = next.workers[index as usize].sent.clone()?;
                let done = self.arrive(&mut next, &sent);
                let worker = &mut next.workers[index as usize];
                if !done || matches!(action, Action::Arrives(_)) {
                    worker.sent = None;
                }
                if matches!(action, Action::Arrives(_)) {
                    worker.step = Step::Doubts;
                    if done {
                        *worker = Worker { step: Step::Gone, late: worker.late, ..Worker::new() };
                    }
                }
            }
            Action::GivesUp(worker) => next.workers[worker as usize].step = Step::Doubts,
            Action::Day => {
                (next.rested, next.recent, next.aged) = (true, 0, next.objects);
                for worker in next.workers.iter_mut().filter(|worker| worker.step != Step::Idle && !self.clock_jumps) {
                    // Nor is the signature of what is on its way taken.
                    worker.sent = worker.sent.take().filter(|_| !self.guards.late);
                    worker.late = true;
                }
            }
        }
        Some(next).filter(|next| next != state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a manifest names what is there", |_: &Self, state: &State| {
                state.named() & !state.objects == 0
            }),
            Property::always("a reader meets no gap", |_: &Self, state: &State| state.recent & !state.objects == 0),
            Property::always("a commit is not lost", |_: &Self, state: &State| {
                let known = state.versions().fold(0, |known, version| known | 1 << version.version);
                state.committed & !known == 0
            }),
            // Everybody may stand still for good from here on: so there is no need for kills.
            Property::always("in the end nothing is left", |protocol: &Self, state: &State| protocol.is_tidy(state)),
        ]
    }
}
