//! What a line or a frame of a watch and a page of a listing say.

use std::borrow::Cow;
use std::fmt::Display;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::wire::{Metadata, Object};
use crate::clean::Clean;
use crate::net::failure::Failure;

mod frame;

pub use frame::frame;

/// One line or frame of a watch.
#[derive(Debug)]
pub enum Told<T> {
    /// An object, new or changed.
    Put(T),
    /// An object that was deleted, and the version at which it was.
    Gone(Clean, String),
    /// Nothing happened up to this version.
    Bookmark {
        /// Where the watch can be taken up again.
        version: String,
        /// Whether it ends the listing that a streaming watch begins with.
        end: bool,
    },
    /// The watch failed, in the server's words.
    Error(Status),
}

/// meta/v1 Status: how the server refuses.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Status {
    /// The HTTP status.
    pub code: u16,
    /// In words.
    pub message: String,
    details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Details {
    causes: Option<Vec<Cause>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cause {
    reason: String,
}

impl Status {
    /// Whether the version asked for is not there yet: a backup was restored.
    pub fn too_new(&self) -> bool {
        let causes = self.details.iter().flat_map(|details| details.causes.iter().flatten());
        causes.into_iter().any(|cause| cause.reason == "ResourceVersionTooLarge")
    }
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type", borrow)]
    is: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct Bare {
    metadata: Metadata,
}

/// Reads one line of a watch.
pub fn line<T: Object>(text: &[u8]) -> Result<Told<T>, Failure> {
    read(text).map_err(|error: serde_json::Error| garbage("a line that is no watch event", text, &error))
}

fn read<T: Object>(text: &[u8]) -> serde_json::Result<Told<T>> {
    let Line { is, object } = serde_json::from_slice(text)?;
    let object = object.get();
    Ok(match &*is {
        "ERROR" => Told::Error(serde_json::from_str(object)?),
        "BOOKMARK" => bookmark(serde_json::from_str::<Bare>(object)?.metadata),
        "DELETED" => gone(serde_json::from_str::<Bare>(object)?.metadata),
        _ => Told::Put(serde_json::from_str(object)?),
    })
}

fn bookmark<T>(metadata: Metadata) -> Told<T> {
    let end = metadata.annotations.is_some_and(|all| all.initial_events_end.as_deref() == Some("true"));
    Told::Bookmark { version: metadata.resource_version, end }
}

fn gone<T>(metadata: Metadata) -> Told<T> {
    Told::Gone(metadata.uid, metadata.resource_version)
}

/// One page of a listing.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Object")]
pub struct Page<T> {
    /// Its place.
    pub metadata: ListPosition,
    /// Its objects.
    pub items: Option<Vec<T>>,
}

/// Where a listing goes on, and where a watch can take it up.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListPosition {
    /// The version of the whole listing.
    pub resource_version: String,
    r#continue: Option<String>,
}

impl ListPosition {
    /// The token of the next page, if there is one.
    pub fn next(&mut self) -> Option<String> {
        self.r#continue.take().filter(|token| !token.is_empty())
    }
}

/// Reads one page of a listing.
pub fn page<T: Object>(text: &[u8]) -> Result<Page<T>, Failure> {
    serde_json::from_slice(text).map_err(|error| garbage("a page that is no listing", text, &error))
}

/// What cannot be read, by its first words: a login page shows itself.
fn garbage(what: &str, text: &[u8], error: &impl Display) -> Failure {
    let start: String = String::from_utf8_lossy(&text[..text.len().min(160)]).chars().take(40).collect();
    Failure::Lost(format!("the API server sent {what} ({error}): {start:?}"))
}

#[cfg(test)]
mod tests;
