//! What is read only when somebody looks at it: twelve themes are there, and one is used.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

type Make<T> = Box<dyn FnOnce() -> T + Send + Sync>;

/// A value that is made when it is first looked at. Clones share it.
#[derive(Clone)]
pub struct Lazy<T>(Arc<LazyLock<T, Make<T>>>);

impl<T> Lazy<T> {
    /// Creates a value that `make` makes.
    pub fn new(make: impl FnOnce() -> T + Send + Sync + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(make))))
    }
}

impl<T: Send + Sync + 'static> From<T> for Lazy<T> {
    fn from(value: T) -> Self {
        Self::new(move || value)
    }
}

impl<T> Deref for Lazy<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_value_is_made_once_and_not_before_it_is_looked_at() {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let lazy = Lazy::new(|| MADE.fetch_add(1, Ordering::SeqCst));
        let other = lazy.clone();
        assert_eq!(MADE.load(Ordering::SeqCst), 0);
        assert_eq!((*lazy, *other, MADE.load(Ordering::SeqCst)), (0, 0, 1));
    }
}
