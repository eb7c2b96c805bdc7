//! warroom: a full-screen terminal war room.

pub mod source;
