//! The one place where text from outside becomes safe to show.
//!
//! Pod names, messages, log lines, alert labels and journals come from other people's programs and may carry
//! terminal escape sequences, carriage returns, bidirectional overrides or invisible characters. [`Clean`]
//! has no constructor that lets them through: decoding JSON into it cleans as well, so an API answer and a
//! journal read back are cleaned by the same code. Nothing is dropped silently: a control becomes a visible
//! mark (`␛`, `␍`, `<U+202E>`). Only [`Styled`] takes something apart: colours.

pub mod redact;
mod styled;

use std::borrow::{Borrow, Cow};
use std::fmt;

use arcstr::ArcStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use styled::{Span, Styled};

/// One line of text that no terminal will act on. Cheap to clone, and one pointer wide: of each pod some
/// seven are kept.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clean(ArcStr);

impl Clean {
    /// Cleans `text`; text without anything to clean is taken as it is.
    pub fn new(text: &str) -> Self {
        Self(ArcStr::from(cleaned(text)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `text` with every control, bidirectional and invisible character made visible.
pub fn cleaned(text: &str) -> Cow<'_, str> {
    match text.find(needs_mark) {
        None => Cow::Borrowed(text),
        Some(first) => {
            let mut out = String::with_capacity(text.len() + 16);
            out.push_str(&text[..first]);
            text[first..].chars().for_each(|c| push_visible(&mut out, c));
            Cow::Owned(out)
        }
    }
}

/// C0, DEL, C1, bidirectional controls, zero-width and other invisible format characters, line separators,
/// tag characters.
fn needs_mark(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

fn push_visible(out: &mut String, c: char) {
    match c {
        '\t' => out.push(' '),
        '\u{7F}' => out.push('␡'),
        c if (c as u32) < 0x20 => out.extend(char::from_u32(0x2400 + c as u32)),
        c if needs_mark(c) => {
            use fmt::Write as _;
            let _ = write!(out, "<U+{:04X}>", c as u32);
        }
        c => out.push(c),
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl From<&str> for Clean {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Clean {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl AsRef<str> for Clean {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Clean {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for Clean {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Clean {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Clean {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl Serialize for Clean {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Clean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&Cow::<str>::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_takes_one_pointer_where_it_is_held() {
        assert_eq!(size_of::<Option<Clean>>(), size_of::<usize>());
    }

    #[test]
    fn what_a_hostile_service_logs_is_shown_and_not_obeyed() {
        let log = "\x1b]0;owned\x07\x1b[2J\u{9b}31mred \u{202e}RTL\u{202c} \r over\u{200b}written\x7f";
        assert_eq!(cleaned(log), "␛]0;owned␇␛[2J<U+009B>31mred <U+202E>RTL<U+202C> ␍ over<U+200B>written␡");
    }

    #[test]
    fn decoding_json_cleans() {
        let clean: Clean = serde_json::from_str(r#""a\u001b[31mb""#).unwrap();
        assert_eq!(clean, "a␛[31mb");
    }

    #[test]
    fn ordinary_text_is_untouched() {
        assert_eq!(cleaned("größer ≥ 5 % – ✓ 日本"), "größer ≥ 5 % – ✓ 日本");
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_is_left(text in "\\PC*|[\\x00-\\x9f\\u{200b}-\\u{202e}\\u{2060}-\\u{206f}]*|.*") {
            let clean = cleaned(&text).into_owned();
            prop_assert!(!clean.chars().any(needs_mark));
            prop_assert_eq!(cleaned(&clean).into_owned(), clean.clone(), "cleaning twice changes nothing");
        }
    }
}
