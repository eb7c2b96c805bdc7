//! What the kernel says of the program: the time it took, the memory it has, the files it holds open.

use std::fs;
use std::time::Duration;

use super::Term;

/// The kernel's tick, in which processor time is counted (`USER_HZ`, 100 on every Linux).
const TICK: Duration = Duration::from_millis(10);

impl Term {
    fn proc(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.pid.as_raw_nonzero())).unwrap()
    }

    /// Processor time that all its threads have taken so far.
    pub fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u32 = fields[11].parse::<u32>().unwrap() + fields[12].parse::<u32>().unwrap();
        TICK * ticks
    }

    /// Memory in kB: `VmRSS` now, `VmHWM` at the most so far.
    pub fn memory(&self, name: &str) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Files, sockets and pipes that it holds open.
    pub fn handles(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid.as_raw_nonzero())).unwrap().count()
    }
}

/// The value that so many of a hundred do not exceed.
pub fn percentile(values: &mut [Duration], of_hundred: usize) -> Duration {
    values.sort();
    values[(values.len() * of_hundred / 100).min(values.len() - 1)]
}
