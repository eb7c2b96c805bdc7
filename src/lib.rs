//! warroom: a full-screen terminal war room.

pub mod clean;
pub mod cli;
pub mod config;
pub mod data;
pub mod effect;
pub mod event;
pub mod journal;
pub mod keymap;
pub mod reduce;
pub mod runbook;
pub mod runtime;
pub mod session;
pub mod sim;
pub mod source;
pub mod state;
pub mod terminal;
pub mod theme;
pub mod units;
pub mod view;
