//! What lies over the panes: a file each.

pub(in crate::view) mod alerts;
pub(in crate::view) mod changes;
pub(in crate::view) mod confirm;
pub(in crate::view) mod detail;
pub(in crate::view) mod entry;
pub(in crate::view) mod form;
pub(in crate::view) mod group;
pub(in crate::view) mod help;
pub(in crate::view) mod logline;
pub(in crate::view) mod logs;
pub(in crate::view) mod manifest;
pub(in crate::view) mod picker;
pub(in crate::view) mod service;
pub(in crate::view) mod sources;
