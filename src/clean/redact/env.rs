//! Values of environment variables. They are never recorded, whatever they look like: `NAME=value` is kept as
//! `NAME=‹set 1f2e3d4c›`, with the first digits of its digest, so that two values can be told apart and
//! neither can be read.

use std::borrow::Cow;
use std::ops::Range;

use super::mark::{mark, mark_length};

/// The variables of an `env` input, `A=1,B=2,C-`: a comma within a value is written `\,` and a backslash
/// `\\`. Values are what they are; blanks around a name are not part of it.
pub fn split_env(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut variable = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ',' => all.push(std::mem::take(&mut variable)),
            '\\' => variable.push(chars.next_if(|next| matches!(next, ',' | '\\')).unwrap_or('\\')),
            c => variable.push(c),
        }
    }
    all.push(variable);
    let trimmed =
        |one: String| if one.contains('=') { one.trim_start().to_owned() } else { one.trim().to_owned() };
    all.into_iter().map(trimmed).filter(|one| !one.is_empty()).collect()
}

/// An `env` input with its values hidden: `A=‹set 1f2e3d4c›,C-`. What is no variable is hidden whole, for it
/// may be part of a value.
pub fn hide_env(text: &str) -> String {
    split_env(text).iter().map(|variable| hide(variable)).collect::<Vec<_>>().join(",")
}

/// `text` with every `env=NAME=value,…` in it hidden: a command that somebody typed, wherever it stands. A
/// quoted word is one word.
pub fn hide_env_words(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    while let Some(value) = next_value(text, kept) {
        let quote = quote_before(text, value.start - ENV.len());
        out.push_str(&text[kept..value.start]);
        out.push_str(&hide_env(&unquoted(quote, &text[value.clone()])));
        out.extend(quote);
        kept = value.end;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

/// Whether a variable is taken for a secret, by its name or by the look of its value.
pub fn is_secret_env(name: &str, value: &str) -> bool {
    super::is_secret_key(name) || super::redact_text(value) != value
}

fn hide(variable: &str) -> String {
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    match variable.split_once('=') {
        Some((name, value)) if is_name(name) && mark_length(value) == Some(value.len()) => {
            variable.to_owned()
        }
        Some((name, _)) if is_name(name) => format!("{name}={}", mark(variable)),
        None if variable.ends_with('-') && is_name(variable)
            || mark_length(variable) == Some(variable.len()) =>
        {
            variable.to_owned()
        }
        _ => mark(variable),
    }
}

const ENV: &str = "env=";

/// Where the value of the next `env=` is that holds a variable, its closing quote included.
fn next_value(text: &str, from: usize) -> Option<Range<usize>> {
    let begins_word = |at: &usize| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let begun = text[from..].match_indices(ENV).map(|(at, _)| from + at).filter(begins_word);
    let mut values =
        begun.map(|at| at + ENV.len()..end_of_word(text, at + ENV.len(), quote_before(text, at)));
    values.find(|value| text[value.clone()].contains('='))
}

/// The quote that the word is in which begins at `at`.
fn quote_before(text: &str, at: usize) -> Option<char> {
    text[..at].chars().next_back().filter(|c| is_quote(*c))
}

/// Where the shell's word ends that `from` is in; where a quote is not closed, the end of the text.
fn end_of_word(text: &str, from: usize, mut quote: Option<char>) -> usize {
    for (at, c) in text[from..].char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if is_quote(c) => quote = Some(c),
            None if c.is_whitespace() => return from + at,
            _ => {}
        }
    }
    text.len()
}

fn is_quote(c: char) -> bool {
    matches!(c, '\'' | '"')
}

fn unquoted(quote: Option<char>, word: &str) -> String {
    let quoted: String = quote.into_iter().chain(word.chars()).collect();
    shlex::split(&quoted).and_then(|words| words.into_iter().next()).unwrap_or_else(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clean::redact::has_hidden;

    #[test]
    fn commas_and_backslashes_within_a_value_are_escaped_and_blanks_of_a_value_stay() {
        assert_eq!(
            split_env(r"A=1, B=two words ,C- ,D=x\,y,E=c:\dir\\,,"),
            ["A=1", "B=two words ", "C-", "D=x,y", r"E=c:\dir\"]
        );
        assert_eq!(split_env("A=\tx \u{1f525}\n"), ["A=\tx \u{1f525}\n"]);
        assert_eq!(split_env(" , "), [""; 0]);
    }

    #[test]
    fn names_stay_and_equal_values_look_equal() {
        let hidden = hide_env("A=hunter2,B=hunter2,C-,secret,x y=z");
        let marks: Vec<&str> = hidden.split(',').collect();
        assert!(
            marks[0].starts_with("A=‹set ") && marks[1].starts_with("B=‹set ") && marks[2] == "C-",
            "{hidden}"
        );
        assert!(
            marks[3].starts_with("‹set ") && marks[4].starts_with("‹set "),
            "what may belong to a value: {hidden}"
        );
        assert_ne!(marks[0][2..], marks[1][2..], "the digest is of the name too");
        assert_eq!(
            (hide_env("A=hunter2"), hide_env(&hidden)),
            (marks[0].to_owned(), hidden.clone()),
            "hidden twice is hidden once"
        );
        assert!(has_hidden(&hidden) && !has_hidden("A=‹set hunter2›,C-"));
    }

    #[test]
    fn a_word_is_hidden_as_a_shell_reads_it() {
        for word in [
            "env=A=hunter2",
            "'env=A=hunter2 \t'",
            "env='A=hunter2 x'",
            "env=A='hunter2 x'",
            "\"env=A=hunter2",
            "--env=A=hunter2",
        ] {
            let line = format!("set-env deployment=x {word}");
            let hidden = hide_env_words(&line);
            assert!(hidden.starts_with("set-env deployment=x ") && hidden.contains("A=‹set "), "{hidden}");
            assert!(!hidden.contains("hunter2") && !hidden.contains(" x'"), "{hidden}");
        }
        let digest = hide_env("A=b c");
        assert_eq!(hide_env_words("env='A=b c' replicas=3"), format!("env={digest} replicas=3"));
        let prose = "env=prod is slow, myenv=A=1 is not";
        assert_eq!(hide_env_words(prose), prose);
    }

    proptest! {
        #[test]
        fn no_value_is_left(value in "[a-z]{8}[ -~\u{e4}\u{1f525}\t]{0,12}", quote in "'|\"|") {
            let secret = &value[..8];
            let hidden = hide_env(&format!("A={value}"));
            prop_assert!(!hidden.contains(secret), "{}", hidden);
            let line = format!("set-env env={quote}A={value}{quote} x=y");
            prop_assert!(!hide_env_words(&line).contains(secret), "{}", hide_env_words(&line));
        }
    }
}
