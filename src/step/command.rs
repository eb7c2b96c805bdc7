//! Commands that can be pasted: every word is quoted for a POSIX shell, which splits the line into exactly the words that are meant.
//!
//! A command is one line of [`Clean`] text, so what a terminal would act on stands as an octal escape of `printf`.

use std::fmt::Write as _;

use crate::clean::{Clean, cleaned};
use crate::event::Command;

/// A word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    raw: String,
    /// What is shown in its place, what that hides, and whether it is a secret.
    hidden: Option<(String, String, bool)>,
}

impl From<&str> for Word {
    fn from(raw: &str) -> Self {
        Self { raw: raw.to_owned(), hidden: None }
    }
}

impl From<String> for Word {
    fn from(raw: String) -> Self {
        Self { raw, hidden: None }
    }
}

impl Word {
    /// A word of which something else is recorded: `what` is hidden. A secret is never copied either.
    pub fn hiding(raw: &str, shown: &str, what: &str, secret: bool) -> Self {
        Self { raw: raw.to_owned(), hidden: Some((shown.to_owned(), what.to_owned(), secret)) }
    }
}

/// The words as one line.
pub fn line(words: &[Word]) -> Command {
    let join = |word: fn(&Word) -> &str| words.iter().map(|one| quoted(word(one))).collect::<Vec<_>>().join(" ");
    let hidden = words.iter().filter_map(|word| word.hidden.as_ref());
    let hides: Vec<Clean> = hidden.clone().map(|(_, what, _)| Clean::new(what)).collect();
    let secret = hidden.clone().any(|(.., secret)| *secret);
    let shown = Clean::new(&join(|word| word.hidden.as_ref().map_or(word.raw.as_str(), |(shown, ..)| shown)));
    let whole = (!secret && !hides.is_empty()).then(|| join(|word| &word.raw).into());
    Command { shown, hides, whole }
}

/// A word as a POSIX shell reads it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-=./:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if !word.contains(|c: char| c.is_control()) && cleaned(word) == word {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    escaped(word)
}

/// By `printf`: a command substitution drops newlines at its end, so these stand behind it, as the third character of the usual `IFS`.
fn escaped(word: &str) -> String {
    let kept = word.trim_end_matches('\n');
    let newlines = "${IFS#??}".repeat(word.len() - kept.len());
    let mut text = String::new();
    for c in kept.chars() {
        match c {
            '%' => text.push_str("%%"),
            '\\' => text.push_str(r"\\"),
            c if c == '\'' || (c == '-' && text.is_empty()) || cleaned(c.encode_utf8(&mut [0; 4])) != *c.encode_utf8(&mut [0; 4]) => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(text, "\\{byte:03o}");
                }
            }
            c => text.push(c),
        }
    }
    format!("\"$(printf '{text}'){newlines}\"")
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
