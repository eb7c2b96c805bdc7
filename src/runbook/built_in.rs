//! The runbooks that come with warroom: a file of `runbooks/` each. The first is taken unless the settings
//! name another; of the others each step is offered by itself where its workload is.

use crate::data::stem;

/// Name in reports and text of each.
pub const BUILT_IN: [(&str, &str); 2] = [
    ("runbooks/kubernetes.toml", include_str!("../../runbooks/kubernetes.toml")),
    ("runbooks/medcontracthub.toml", include_str!("../../runbooks/medcontracthub.toml")),
];

/// Returns the built-in file of that name, which may end in `.toml`.
pub fn built_in(name: &str) -> Option<(&'static str, &'static str)> {
    BUILT_IN.into_iter().find(|(file, _)| stem(file) == stem(name))
}
