//! A key as a keymap writes it: `g`, `G`, `?`, `space`, `ctrl-x`, `alt-left`, `shift-tab`, `f5`. Keys that
//! terminals cannot tell apart are one key here: `shift-g` is `G`, `ctrl-G` is `ctrl-g`, `ctrl-i` is `tab`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use serde::{Deserialize, Serialize};

use crate::data::{Problem, text_fields};

/// Which key, without modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A key that types a character.
    Char(char),
    /// `f1` to `f24`.
    F(u8),
    /// A key with a name.
    Named(Named),
}

macro_rules! named {
    ($($variant:ident $name:literal)+) => {
        /// The keys that have a name instead of a character.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "their names say it")]
        pub enum Named { $($variant,)+ }

        impl Named {
            /// All of them with their names in keymaps.
            const ALL: &[(Self, &'static str)] = &[$((Self::$variant, $name),)+];

            const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            const fn from_crossterm(code: KeyCode) -> Option<Self> {
                match code {
                    $(KeyCode::$variant => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

named! {
    Enter "enter" Esc "esc" Tab "tab" Backspace "backspace" Delete "delete" Insert "insert"
    Up "up" Down "down" Left "left" Right "right" Home "home" End "end" PageUp "pageup" PageDown "pagedown"
}

/// A key with its modifiers, normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key {
    code: Code,
    ctrl: bool,
    alt: bool,
    shift: bool,
}

const SPACE: &str = "space";

impl Key {
    /// Normalises: a shifted letter is its capital, `ctrl` knows no capitals, `ctrl-i`, `ctrl-m` and `ctrl-[`
    /// are `tab`, `enter` and `esc`.
    pub fn new(code: Code, modifiers: KeyModifiers) -> Self {
        let [ctrl, alt, shift] = [KeyModifiers::CONTROL, KeyModifiers::ALT, KeyModifiers::SHIFT]
            .map(|one| modifiers.contains(one));
        let named = |name| Self { code: Code::Named(name), ctrl: false, alt, shift };
        match code {
            Code::Char('i' | 'I') if ctrl => named(Named::Tab),
            Code::Char('m' | 'M') if ctrl => named(Named::Enter),
            Code::Char('[') if ctrl => named(Named::Esc),
            Code::Char(c) if ctrl => {
                Self { code: Code::Char(c.to_ascii_lowercase()), ctrl, alt, shift: false }
            }
            Code::Char(c) if shift => {
                Self { code: Code::Char(c.to_ascii_uppercase()), ctrl, alt, shift: false }
            }
            code => Self { code, ctrl, alt, shift },
        }
    }

    /// The key that the terminal reports as pressed or repeating; none for releases and keys that no keymap
    /// can name.
    pub fn pressed(event: KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        match event.code {
            KeyCode::Char(c) if !c.is_control() => Some(Self::new(Code::Char(c), event.modifiers)),
            KeyCode::F(n) => Some(Self::new(Code::F(n), event.modifiers)),
            KeyCode::BackTab => {
                Some(Self::new(Code::Named(Named::Tab), event.modifiers | KeyModifiers::SHIFT))
            }
            KeyCode::Null => Some(Self::new(Code::Char(' '), KeyModifiers::CONTROL)),
            code => Some(Self::new(Code::Named(Named::from_crossterm(code)?), event.modifiers)),
        }
    }

    /// The character that this key types into a text field.
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, prefix) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            f.write_str(if held { prefix } else { "" })?;
        }
        match self.code {
            Code::Char(' ') => f.write_str(SPACE),
            Code::Char(c) => write!(f, "{c}"),
            Code::F(n) => write!(f, "f{n}"),
            Code::Named(named) => f.write_str(named.name()),
        }
    }
}

impl FromStr for Key {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        while let Some((modifier, after)) = modifier_of(rest) {
            modifiers |= modifier;
            rest = after;
        }
        match code_of(rest) {
            Some(code) => Ok(Self::new(code, modifiers)),
            None => Err(unknown(text, rest)),
        }
    }
}

/// A modifier and what stands behind its dash, which may itself be the key: `ctrl--`.
fn modifier_of(text: &str) -> Option<(KeyModifiers, &str)> {
    let prefixes =
        [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("shift-", KeyModifiers::SHIFT)];
    prefixes.iter().find_map(|(prefix, modifier)| Some((*modifier, text.strip_prefix(prefix)?)))
}

fn code_of(text: &str) -> Option<Code> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if !c.is_whitespace() && !c.is_control() => return Some(Code::Char(c)),
        _ if text == SPACE => return Some(Code::Char(' ')),
        _ => {}
    }
    let function = text.strip_prefix('f').and_then(|n| n.parse().ok()).filter(|n| (1..=24).contains(n));
    let named = || Named::ALL.iter().find(|(_, name)| *name == text).map(|(named, _)| Code::Named(*named));
    function.map(Code::F).or_else(named)
}

fn unknown(text: &str, rest: &str) -> Problem {
    let modifiers = &text[..text.len() - rest.len()];
    let names = Named::ALL.iter().map(|(_, name)| *name).chain([SPACE, "f1", "f24"]);
    let mut fault = Problem::unknown("key", rest, names);
    fault.message = format!("no such key {text:?}");
    fault.nearest = fault.nearest.map(|name| format!("{modifiers}{name}"));
    fault
}

text_fields!(Key);

impl TryFrom<String> for Key {
    type Error = Problem;

    fn try_from(text: String) -> Result<Self, Problem> {
        text.parse()
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn codes() -> impl Strategy<Value = Code> {
        let named = prop::sample::select(Named::ALL).prop_map(|(named, _)| Code::Named(named));
        let chars = any::<char>()
            .prop_filter("types something", |c| !c.is_control() && (!c.is_whitespace() || *c == ' '));
        prop_oneof![
            named,
            (1..=24u8).prop_map(Code::F),
            chars.prop_map(Code::Char),
            prop::char::range(' ', '~').prop_map(Code::Char)
        ]
    }

    proptest! {
        #[test]
        fn every_key_is_read_back_as_it_is_written(code in codes(), bits in 0..8u8) {
            let key = Key::new(code, KeyModifiers::from_bits_truncate(bits));
            prop_assert_eq!(key.to_string().parse(), Ok(key));
            prop_assert_eq!(serde_json::from_str::<Key>(&serde_json::to_string(&key).unwrap()).unwrap(), key);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            if let Ok(key) = text.parse::<Key>() {
                prop_assert_eq!(key.to_string().parse(), Ok(key));
            }
        }
    }

    #[test]
    fn one_key_has_one_form() {
        for (text, form) in [
            ("shift-g", "G"),
            ("ctrl-X", "ctrl-x"),
            ("ctrl-i", "tab"),
            ("ctrl-m", "enter"),
            ("shift-ctrl-tab", "ctrl-shift-tab"),
            ("ctrl--", "ctrl--"),
            ("-", "-"),
            ("<", "<"),
            ("alt-space", "alt-space"),
            ("f24", "f24"),
        ] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), form);
        }
    }

    #[test]
    fn what_the_terminal_reports_is_the_key_that_was_meant() {
        let pressed =
            |code, modifiers| Key::pressed(KeyEvent::new(code, modifiers)).map(|key| key.to_string());
        assert_eq!(pressed(KeyCode::Char('G'), KeyModifiers::SHIFT).as_deref(), Some("G"));
        assert_eq!(pressed(KeyCode::Char('?'), KeyModifiers::SHIFT).as_deref(), Some("?"));
        assert_eq!(pressed(KeyCode::BackTab, KeyModifiers::SHIFT).as_deref(), Some("shift-tab"));
        assert_eq!(pressed(KeyCode::Null, KeyModifiers::NONE).as_deref(), Some("ctrl-space"));
        assert_eq!(pressed(KeyCode::CapsLock, KeyModifiers::NONE), None);
        let released = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(Key::pressed(released), None);
    }

    #[test]
    fn mistakes_name_what_was_meant() {
        for (text, message) in [
            ("ctrl-entre", "no such key \"ctrl-entre\"; did you mean \"ctrl-enter\"?"),
            ("spcae", "no such key \"spcae\"; did you mean \"space\"?"),
            ("ctrl-", "no such key \"ctrl-\""),
            ("f25", "no such key \"f25\"; did you mean \"f24\"?"),
            (" ", "no such key \" \""),
        ] {
            assert_eq!(text.parse::<Key>().unwrap_err().to_string(), message);
        }
    }
}
