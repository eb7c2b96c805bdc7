//! What takes long and mostly waits, with the real program: in one binary, side by side. The longest begin
//! first: tests run by their names.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../support/bed.rs"]
mod bed;
#[path = "../support/chance.rs"]
#[allow(dead_code, reason = "chance itself is not for what waits")]
mod chance;
#[path = "../pty/mod.rs"]
mod pty;

#[cfg(target_os = "linux")] // reads /proc
mod degraded;
#[cfg(target_os = "linux")] // reads /proc
mod endurance;
mod incidents;
