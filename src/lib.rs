//! warroom: a full-screen terminal war room.

pub mod journal;
pub mod source;
