//! Commands that can be pasted: every word is quoted for a POSIX shell, which splits the line into exactly
//! the words that are meant.
//!
//! A command is one line of [`Clean`] text, so what a terminal would act on stands as an octal escape of
//! `printf`.

use std::fmt::Write as _;

use crate::clean::redact::{MARK, is_secret_key};
use crate::clean::{Clean, cleaned};
use crate::event::{Command, Typed};

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
    /// Creates a word of which something else is recorded: `what` is hidden. A secret is never copied either.
    pub fn hiding(raw: &str, shown: &str, what: &str, secret: bool) -> Self {
        Self { raw: raw.to_owned(), hidden: Some((shown.to_owned(), what.to_owned(), secret)) }
    }
}

/// Joins words to one line.
pub fn line(words: &[Word]) -> Command {
    let join =
        |word: fn(&Word) -> &str| words.iter().map(|one| quoted(word(one))).collect::<Vec<_>>().join(" ");
    let hidden = words.iter().filter_map(|word| word.hidden.as_ref());
    let hides: Vec<Clean> = hidden.clone().map(|(_, what, _)| Clean::new(what)).collect();
    let secret = hidden.clone().any(|(.., secret)| *secret);
    let shown = Clean::new(&join(|word| word.hidden.as_ref().map_or(word.raw.as_str(), |(shown, ..)| shown)));
    let whole = (!secret && !hides.is_empty()).then(|| join(|word| &word.raw).into());
    Command { shown, hides, whole }
}

/// Splits a command into words as a shell does; nothing of it is expanded, and `#` begins no comment. `None`
/// where a quote does not close.
pub fn split(given: &str) -> Option<Vec<String>> {
    let stand_in = ('\u{e000}'..'\u{f8ff}').find(|c| !given.contains(*c))?;
    let words = shlex::split(&given.replace('#', stand_in.encode_utf8(&mut [0; 4])))?;
    Some(words.into_iter().map(|word| word.replace(stand_in, "#")).collect())
}

/// Converts words that somebody typed, each without what looks like a secret; what follows a flag that is
/// called like one (`--password VALUE`) is one, in a word that is a command itself (`sh -c 'redis-cli
/// --password VALUE'`) too.
pub fn typed(words: &[String]) -> Vec<Typed> {
    let is_flag = |word: &String| {
        word.starts_with('-') && !word.contains('=') && is_secret_key(word.trim_start_matches('-'))
    };
    let follows_flag =
        |at: usize| at.checked_sub(1).and_then(|before| words.get(before)).is_some_and(is_flag);
    let one = |(at, word): (usize, &String)| match word {
        word if follows_flag(at) => Typed::hidden(word, MARK),
        word if word.contains(char::is_whitespace) => typed_line(word),
        word => Typed::new(word),
    };
    words.iter().enumerate().map(one).collect()
}

/// Converts a command that somebody typed, as [`typed`] does with its words.
pub fn typed_line(given: &str) -> Typed {
    let Some(words) = split(given) else { return Typed::new(given) };
    let shown = typed(&words);
    let plain = words.iter().zip(&shown).all(|(word, typed)| *typed.shown() == Clean::new(word));
    let line = || shown.iter().map(|word| quoted(word.shown())).collect::<Vec<_>>().join(" ");
    if plain { Typed::new(given) } else { Typed::hidden(given, &line()) }
}

/// Quotes a word so that a POSIX shell reads it back.
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

/// By `printf`: a command substitution drops newlines at its end, so these stand behind it, as the third
/// character of the usual `IFS`.
fn escaped(word: &str) -> String {
    let kept = word.trim_end_matches('\n');
    let newlines = "${IFS#??}".repeat(word.len() - kept.len());
    let mut text = String::new();
    for c in kept.chars() {
        match c {
            '%' => text.push_str("%%"),
            '\\' => text.push_str(r"\\"),
            c if c == '\''
                || (c == '-' && text.is_empty())
                || cleaned(c.encode_utf8(&mut [0; 4])) != *c.encode_utf8(&mut [0; 4]) =>
            {
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
mod tests;
