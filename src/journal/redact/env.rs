//! Environment variables as a step's input has them: `NAME=value,NAME2=value2`, and `NAME-` to take one away. No value is recorded or shown
//! beyond the process that was given it.

use super::{is_secret_key, text::redact_text};

/// The variables of an input, one by one: commas between them, `\,` for one within a value, `\\` for a backslash.
pub fn split_env(text: &str) -> Vec<String> {
    let (mut all, mut one, mut chars) = (Vec::new(), String::new(), text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '\\' if matches!(chars.peek(), Some(',' | '\\')) => one.extend(chars.next()),
            ',' => all.push(std::mem::take(&mut one)),
            c => one.push(c),
        }
    }
    all.push(one);
    all.into_iter().map(|one| one.trim_start().to_owned()).collect()
}

/// The same with a digest in the place of each value.
pub fn hide_env(text: &str) -> String {
    let hide = |word: String| match word.split_once('=') {
        Some((name, _)) => format!("{name}=‹set {}›", &blake3::hash(word.as_bytes()).to_hex()[..8]),
        None => word,
    };
    split_env(text).into_iter().map(hide).collect::<Vec<_>>().join(",")
}

/// Whether a variable is taken for a secret, by its name or by the look of its value.
pub fn is_secret_env(name: &str, value: &str) -> bool {
    is_secret_key(name) || redact_text(value) != value
}
