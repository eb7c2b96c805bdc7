//! Sources: what turns the outside into events.

pub mod client;
pub mod clock;
pub mod connect;
pub mod failure;
pub mod timing;
pub mod voice;
