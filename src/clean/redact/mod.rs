//! Takes secrets out of what enters the journal. [`Redacted`] is the only way in, so that nothing is recorded
//! that has not been here, and the world that is reduced from it holds the same as the recording. What looks
//! like a secret is taken for one: a lost word costs less than a leaked password. Secrets by the name of
//! their key are found here, secrets by their own look in [`redact_text`]; values of variables are hidden
//! where they are typed, with [`hide_env`].
//!
//! So a type that is recorded keeps the names of things as values and not as keys of a map: under the key
//! `auth-token-service` all text is taken out. Numbers stay, which keeps a typed value whole.

mod env;
mod mark;
mod secret_names;
mod text;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use env::{hide_env, hide_env_words, is_secret_env, split_env};
pub use mark::has_hidden;
pub use secret_names::is_secret_key;
pub use text::redact_text;

/// What stands in the place of a secret.
pub const MARK: &str = "‹redacted›";

/// A value whose secrets have been taken out, with its JSON: it is made once, where there is time for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted<T> {
    value: T,
    json: Vec<u8>,
}

impl<T: Serialize + DeserializeOwned> Redacted<T> {
    /// Takes the secrets out of `value`. It fails where text of a fixed form (a time, an enum) stands under a
    /// secret-looking key; such a field wants another name.
    pub fn new(value: T) -> serde_json::Result<Self> {
        let mut tree = serde_json::to_value(&value)?;
        if redact(&mut tree) {
            return Ok(Self { json: serde_json::to_vec(&tree)?, value: serde_json::from_value(tree)? });
        }
        Ok(Self { json: serde_json::to_vec(&value)?, value })
    }
}

impl<T> Redacted<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// Its JSON.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The value, to reduce it.
    pub fn into_inner(self) -> T {
        self.value
    }
}

/// Takes secrets out of `value`. Gives whether there were any.
pub fn redact(value: &mut Value) -> bool {
    match value {
        Value::String(text) => redact_string(text),
        Value::Array(items) => redact_array(items),
        Value::Object(fields) => redact_object(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn redact_string(text: &mut String) -> bool {
    let clean = redact_text(text);
    if clean == *text {
        return false;
    }
    *text = clean.into_owned();
    true
}

/// The word behind `--password` is a secret too.
fn redact_array(items: &mut [Value]) -> bool {
    let mut changed = false;
    let mut is_next_secret = false;
    for item in items {
        let is_flag = item
            .as_str()
            .is_some_and(|text| text.starts_with('-') && !text.contains('=') && is_secret_key(text));
        changed |= if is_next_secret && !is_flag { blank(item) } else { redact(item) };
        is_next_secret = is_flag;
    }
    changed
}

fn redact_object(fields: &mut Map<String, Value>) -> bool {
    let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_named_secret = fields.get("name").and_then(Value::as_str).is_some_and(is_secret_key);
    let mut changed = redact_keys(fields);
    for (key, value) in fields.iter_mut() {
        let is_secret = is_secret_key(key)
            || (is_named_secret && key == "value")
            || (kind == "Secret" && matches!(key.as_str(), "data" | "stringData"))
            || (kind == "SecretList" && key == "items");
        changed |= if is_secret { blank(value) } else { redact(value) };
    }
    changed
}

fn redact_keys(fields: &mut Map<String, Value>) -> bool {
    if fields.keys().all(|key| redact_text(key) == key.as_str()) {
        return false;
    }
    *fields = std::mem::take(fields)
        .into_iter()
        .map(|(key, value)| (redact_text(&key).into_owned(), value))
        .collect();
    true
}

/// Takes out every text in `value`.
fn blank(value: &mut Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) if text == MARK || text.is_empty() => false,
        Value::String(text) => {
            MARK.clone_into(text);
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |changed, item| blank(item) | changed),
        Value::Object(fields) => fields.values_mut().fold(false, |changed, item| blank(item) | changed),
    }
}

#[cfg(test)]
mod tests;
