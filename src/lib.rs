//! warroom: a full-screen terminal war room.

pub mod sim;
pub mod source;
