//! Whether a process that left its word in a store still lives: on the machine it runs on, that is known at once.

use std::fs;

use serde::{Deserialize, Serialize};

/// A process, so that no other is taken for it: numbers are used again, and containers have their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Machine.
    pub host: String,
    /// Start of the machine.
    boot: String,
    /// Its space of process numbers.
    space: String,
    /// Process number.
    pub pid: u32,
    /// When it began, in ticks since the machine did.
    started: String,
}

impl Process {
    /// This one.
    pub fn this() -> Self {
        let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default().display().to_string();
        let pid = std::process::id();
        Self {
            host: host(),
            boot: read("/proc/sys/kernel/random/boot_id"),
            space,
            pid,
            started: started(pid).unwrap_or_default(),
        }
    }

    /// Whether it is a process of this machine that has ended. Of another machine's nothing is known.
    pub fn is_dead(&self) -> bool {
        let this = Self::this();
        let here = !this.boot.is_empty() && (&this.boot, &this.space) == (&self.boot, &self.space);
        here && started(self.pid).as_ref() != Some(&self.started)
    }
}

/// Name of this machine.
pub fn host() -> String {
    read("/proc/sys/kernel/hostname")
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// When a process that is at work began; one that has ended and that nobody has asked after is not.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, also blanks and brackets.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (!matches!(state, "Z" | "X")).then(|| fields.nth(18).map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_dead_when_it_has_ended_or_its_number_is_anothers() {
        let this = Process::this();
        assert!(!this.is_dead());
        assert!(Process { started: "1".into(), ..this.clone() }.is_dead(), "another process has its number");
        assert!(!Process { boot: "another".into(), pid: 0, ..this.clone() }.is_dead(), "of another machine");
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let of_child = Process { pid: child.id(), started: started(child.id()).unwrap(), ..this };
        assert!(!of_child.is_dead());
        child.kill().unwrap();
        // Nobody has asked after it yet: it has its number, and ends all the same.
        while !of_child.is_dead() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(of_child.is_dead());
    }
}
