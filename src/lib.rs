//! warroom: a full-screen terminal war room.

pub mod clean;
pub mod config;
pub mod data;
pub mod event;
pub mod keymap;
pub mod runbook;
pub mod source;
pub mod state;
pub mod theme;
pub mod units;
pub mod view;
