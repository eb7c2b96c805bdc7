//! How a request fails, in sentences.

use std::error::Error;
use std::time::Duration;

use super::credential::NoCredentials;

/// Message for a 401 of the API server.
pub const LOGGED_OUT: &str = "the API server does not accept this context's credentials (401): log in again";

/// Why a request to a source failed. Each message is a sentence without its full stop: what, and what to do
/// next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// 401: the credentials are not accepted.
    #[error("{0}")]
    Unauthenticated(String),
    /// 403: a right is missing.
    #[error("{0}")]
    Forbidden(String),
    /// 410 and its relatives: the place in the stream is lost, only a fresh listing helps.
    #[error("{0}")]
    Expired(String),
    /// 404: there is no such thing.
    #[error("{0}")]
    Missing(String),
    /// Other 4xx: asking the same again will not help.
    #[error("{0}")]
    Rejected(String),
    /// 400 or 422 with the words of who understood the question: the question itself is wrong.
    #[error("{0}")]
    Misasked(String),
    /// 429 and 5xx: the server is there and wants to be left alone for a while.
    #[error("{message}")]
    Busy {
        /// What the server says.
        message: String,
        /// Its `Retry-After`.
        wait: Option<Duration>,
    },
    /// No answer, or no more of it, arrived in time.
    #[error("{0}")]
    Silent(String),
    /// No connection, a cut stream, or one that cannot be read.
    #[error("{0}")]
    Lost(String),
}

impl Failure {
    /// Returns whether the server is there and shows nothing: it refuses, or was asked for what cannot be.
    pub fn blind(&self) -> bool {
        self.refused() || matches!(self, Self::Misasked(_))
    }

    /// Returns whether the server is there and refuses.
    pub fn refused(&self) -> bool {
        matches!(self, Self::Unauthenticated(_) | Self::Forbidden(_))
    }

    /// Returns the same failure, with what was being done before it and what to do instead after it.
    #[must_use]
    pub fn because(self, doing: &str, instead: &str) -> Self {
        let told = |message: String| format!("{doing}: {message}; {instead}");
        match self {
            Self::Unauthenticated(message) => Self::Unauthenticated(told(message)),
            Self::Forbidden(message) => Self::Forbidden(told(message)),
            Self::Expired(message) => Self::Expired(told(message)),
            Self::Rejected(message) => Self::Rejected(told(message)),
            Self::Misasked(message) => Self::Misasked(told(message)),
            Self::Busy { message, wait } => Self::Busy { message: told(message), wait },
            Self::Silent(message) => Self::Silent(told(message)),
            Self::Missing(message) => Self::Missing(told(message)),
            Self::Lost(message) => Self::Lost(told(message)),
        }
    }

    /// Creates the failure of an API server that answers 401.
    pub fn logged_out() -> Self {
        Self::Unauthenticated(LOGGED_OUT.to_owned())
    }

    /// Creates the failure of a server that was silent for that long.
    pub fn silent(what: &str, span: Duration) -> Self {
        Self::Silent(format!("{what} has been silent for {}", crate::units::seconds(span.as_secs_f64())))
    }

    /// Creates the failure of a request that never got an answer.
    pub fn unreachable(what: &str, error: &(dyn Error + 'static)) -> Self {
        match uncredentialed(error) {
            Some(sentence) => Self::Unauthenticated(sentence),
            None => Self::Lost(format!("cannot reach {what}: {}", root(error))),
        }
    }
}

/// Returns the innermost cause: `Connection refused (os error 111)` says more than `client error (Connect)`.
pub fn root(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Returns why there were no credentials for a request, which then never left; `None` for any other error.
pub fn uncredentialed(error: &(dyn Error + 'static)) -> Option<String> {
    causes(error).find_map(|cause| cause.downcast_ref::<NoCredentials>()).map(ToString::to_string)
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}
