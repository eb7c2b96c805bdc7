//! The bed: a real cluster on this machine, for the tests that are named `bed_…` and ignored where it is not
//! asked for.

use std::path::PathBuf;

/// A variable of the bed's environment.
///
/// # Panics
/// If it is not set: nothing can be shown without the bed, and that is no success.
pub fn var(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: this test needs the bed's environment, as `bed env` prints it")
    })
}

/// The kubeconfig of the bed's administrator.
///
/// # Panics
/// If `KUBECONFIG` is another cluster's: these tests break what they find.
pub fn kubeconfig() -> PathBuf {
    let [own, of_bed] = ["KUBECONFIG", "BED_VIEWER_KUBECONFIG"].map(|name| PathBuf::from(var(name)));
    assert!(own.parent() == of_bed.parent(), "KUBECONFIG is not the bed's: {}", own.display());
    assert!(own.exists(), "the bed is not up: there is no {}", own.display());
    own
}
