//! The panes of the war room: a file each.

pub(in crate::view) mod lag;
pub(in crate::view) mod pods;
pub(in crate::view) mod rates;
pub(in crate::view) mod steps;
pub(in crate::view) mod timeline;
