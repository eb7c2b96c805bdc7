//! Sources: what produces events.

pub mod clock;
