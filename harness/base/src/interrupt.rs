//! SIGINT and SIGTERM: what was begun is removed, and the program leaves. What is finished is published and stays.
//!
//! Whoever creates something that must not stay says so first ([`removing`], [`on_exit`]) and drops the guard once it may.
//! Steps that create, rename or delete what others see are [`whole`]: a signal waits for the one under way and lets no
//! other begin, so nothing appears behind the cleaning. It waits for no longer than [`PATIENCE`]; a second signal ends at
//! once. What then stays is removed by the next run.

use std::{
    cell::Cell,
    io::{self, Write},
    path::{Path, PathBuf},
    process::exit,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crate::error::{Class, Met};

/// Exit code of an interrupted command.
const INTERRUPTED: i32 = crate::exit::INTERRUPTED as i32;

/// How long removing what was begun may take.
const PATIENCE: Duration = Duration::from_millis(1800);

type Task = Box<dyn FnOnce() + Send>;

/// What to do on the way out, by number, in the order it was named.
static TASKS: Mutex<(u64, Vec<(u64, Task)>)> = Mutex::new((0, Vec::new()));
/// Held during a step, and from the signal to the end.
static STEP: Mutex<()> = Mutex::new(());
static SIGNALLED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether this thread is within a step.
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// Something to do on an interruption, until this is dropped.
#[must_use]
pub struct Guard(u64);

impl Drop for Guard {
    fn drop(&mut self) {
        let task = {
            let mut tasks = tasks();
            let position = tasks.1.iter().position(|(number, _)| *number == self.0);
            position.map(|position| tasks.1.remove(position))
        };
        drop(task);
    }
}

/// Does something on an interruption; the latest first.
pub fn on_exit(task: impl FnOnce() + Send + 'static) -> Guard {
    let mut tasks = tasks();
    tasks.0 += 1;
    let number = tasks.0;
    tasks.1.push((number, Box::new(task)));
    Guard(number)
}

/// Removes a file or a folder on an interruption.
pub fn removing(path: impl Into<PathBuf>) -> Guard {
    let path = path.into();
    on_exit(move || remove(&path))
}

/// Makes a temporary file or folder that is removed on an interruption. No signal comes between the two: it would find what
/// was made and nobody who removes it.
///
/// # Errors
/// Those of `make`.
pub fn temporary<T: AsRef<Path>>(make: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Guard)> {
    whole(|| {
        let made = make()?;
        let guard = removing(made.as_ref());
        Ok((made, guard))
    })
}

/// Runs a step that an interruption does not cut in two. Steps may hold steps.
pub fn whole<T>(step: impl FnOnce() -> T) -> T {
    if WITHIN.get() {
        return step();
    }
    let _held = STEP.lock().unwrap_or_else(PoisonError::into_inner);
    WITHIN.set(true);
    let _within = Within;
    step()
}

/// A step under way on this thread, also while it unwinds.
struct Within;

impl Drop for Within {
    fn drop(&mut self) {
        WITHIN.set(false);
    }
}

/// Begins to listen.
pub fn listen() -> crate::Result<()> {
    ctrlc::set_handler(|| {
        if SIGNALLED.swap(true, Ordering::SeqCst) {
            exit(INTERRUPTED);
        }
        // Not `eprintln!`: where nobody reads it any more, it panics.
        let _ = writeln!(
            io::stderr(),
            "interrupted: finished months are kept, unfinished ones are not visible; run again to resume"
        );
        thread::spawn(|| {
            thread::sleep(PATIENCE);
            exit(INTERRUPTED);
        });
        thread::spawn(|| whole(leave));
    })
    .met_as(Class::Program)
}

/// What an interrupted program does instead of ending in its own way: an error may be no more than the removal at work.
pub fn give_way() {
    while SIGNALLED.load(Ordering::SeqCst) {
        thread::park();
    }
}

fn leave() {
    let named = std::mem::take(&mut tasks().1);
    for (_, task) in named.into_iter().rev() {
        task();
    }
    exit(INTERRUPTED);
}

fn tasks() -> MutexGuard<'static, (u64, Vec<(u64, Task)>)> {
    TASKS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remove(path: &Path) {
    // Other threads are still at work in a folder: what they add between its listing and its removal is met again.
    for _ in 0..10 {
        let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        if removed.is_ok() || !path.exists() {
            return;
        }
    }
}
