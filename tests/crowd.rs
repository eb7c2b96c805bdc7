//! The program on very large clusters: keys stay quick and the machine stays free, whatever changes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod pty;

use std::env;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use warroom::sim::crowd::{Crowd, NAMESPACE};

fn number(name: &str, usual: u32) -> u32 {
    env::var(name).map_or(usual, |value| value.parse().unwrap())
}

/// Serves a crowd for whoever wants to look at it from outside (a profiler, another program): `WARROOM_CROWD` pods, `WARROOM_CHANGES` of
/// them a second, a kubeconfig at `WARROOM_CROWD_KUBECONFIG`, for `WARROOM_CROWD_SECONDS` or until standard input ends.
#[test]
#[ignore = "serves until its input ends"]
fn serve_a_crowd() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let pods = usize::try_from(number("WARROOM_CROWD", 50_000)).unwrap();
    let crowd = runtime.block_on(Crowd::start(pods, number("WARROOM_CHANGES", 0))).unwrap();
    println!("{}", crowd.kubernetes_url());
    if let Some(path) = env::var_os("WARROOM_CROWD_KUBECONFIG").map(PathBuf::from) {
        std::fs::write(path, pty::kubeconfig(&crowd.kubernetes_url(), NAMESPACE).to_string()).unwrap();
    }
    match number("WARROOM_CROWD_SECONDS", 0) {
        0 => drop(std::io::stdin().read_to_end(&mut Vec::new())),
        seconds => std::thread::sleep(Duration::from_secs(seconds.into())),
    }
}
