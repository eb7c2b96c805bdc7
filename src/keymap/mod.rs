//! Keymaps: which key means which [`Action`] in which [`Context`]. Pure data and lookups; keys never reach the journal.

pub mod action;
mod context;
mod key;

pub use action::{Action, Danger};
pub use context::Context;
pub use key::{Code, Key, Named};
