//! What panes and pages are drawn with: rows of text, frames, charts, symbols, places.

pub(in crate::view) mod ascii;
pub(in crate::view) mod axis;
pub(in crate::view) mod big_text;
pub(in crate::view) mod chart;
pub(in crate::view) mod hit_test;
pub(in crate::view) mod layout;
pub(in crate::view) mod pane;
pub(in crate::view) mod symbols;
pub(in crate::view) mod text;
