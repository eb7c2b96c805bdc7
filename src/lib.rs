//! warroom: a full-screen terminal war room.

pub mod data;
pub mod keymap;
pub mod source;
pub mod theme;
