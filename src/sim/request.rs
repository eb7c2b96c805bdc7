//! Requests and answers as the three simulated servers share them.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Uri, header};
use axum::response::Response;
use chrono::{DateTime, Utc};

/// The parameters of an address or of a posted form, decoded, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=b&c=d`; what is not of that form is no parameter.
    pub(crate) fn parse(text: &str) -> Self {
        let uri = Uri::builder().path_and_query(format!("/?{text}")).build().unwrap_or_default();
        axum::extract::Query::try_from_uri(&uri).map_or_else(|_| Self::default(), |parsed| Self(parsed.0))
    }

    /// These parameters and then those of `other`.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is given and true.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| matches!(value, "true" | "1" | ""))
    }
}

/// A request that asked for a change, as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// POST, PUT, PATCH or DELETE.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// The `User-Agent` header, empty when there was none.
    pub user_agent: String,
    /// Whether it asked for a dry run.
    pub dry_run: bool,
    /// The `fieldManager` parameter.
    pub field_manager: Option<String>,
    /// When it was received, in simulated time.
    pub at: DateTime<Utc>,
    /// Whether it changed what the server has, whatever its sender was told.
    pub applied: bool,
}

/// Ways to build an answer.
pub(crate) mod reply {
    use super::{Body, Duration, Response, header};

    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Response {
        body(status, "application/json", Body::from(value.to_string()))
    }

    pub(crate) fn text(status: u16, text: &'static str) -> Response {
        body(status, "text/plain; charset=utf-8", Body::from(text))
    }

    pub(crate) fn body(status: u16, content_type: &'static str, body: Body) -> Response {
        let response =
            Response::builder().status(status).header(header::CONTENT_TYPE, content_type).body(body);
        response.unwrap_or_default()
    }

    pub(crate) fn retry_after(mut response: Response, wait: Duration) -> Response {
        response.headers_mut().insert(header::RETRY_AFTER, wait.as_secs().into());
        response
    }

    pub(crate) fn location(mut response: Response, to: &str) -> Response {
        response.headers_mut().extend(to.parse().ok().map(|to| (header::LOCATION, to)));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let query = Query::parse("a=b%3Dc+d&e&a=2&dry=true").and(Query::parse("f=g"));
        assert_eq!(query.get("a"), Some("b=c d"));
        assert_eq!(query.all("a").count(), 2);
        assert!(query.flag("e") && query.flag("dry") && !query.flag("f"));
        assert_eq!(query.get("f"), Some("g"));
    }
}
