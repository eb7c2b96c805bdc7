//! The real program from outside: on a command line and in a terminal, with folders of its own, on a
//! simulated cluster. Nothing in here sleeps to be in step with the program: what is waited for is on the
//! screen, in a file, or an end.

#![allow(dead_code, unused_imports, reason = "each test file uses a part of this")]

mod cluster;
mod home;
mod process;
mod term;

pub use cluster::Cluster;
pub use home::{Home, Ran, kubeconfig};
pub use process::percentile;
pub use term::Term;
