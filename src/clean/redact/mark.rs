//! The mark that stands in the place of a variable's value: `‹set 1f2e3d4c›`, with the first digits of its
//! digest, so that two values can be told apart and neither can be read.

/// How the mark of a value begins; eight hexadecimal digits and `›` follow.
const SET: &str = "‹set ";
const DIGITS: usize = 8;

/// Whether the mark of a hidden value stands in the text: it is not the value, and must not be written as
/// one.
pub fn has_hidden(text: &str) -> bool {
    text.match_indices(SET).any(|(at, _)| mark_length(&text[at..]).is_some())
}

/// Whether `text` begins with the mark of a hidden value and nothing that could belong to a value follows it.
pub(super) fn begins_hidden(text: &str) -> bool {
    let ends = |rest: &str| {
        rest.chars().next().is_none_or(|c| c.is_whitespace() || matches!(c, ',' | '"' | '\'' | '\\'))
    };
    mark_length(text).is_some_and(|length| ends(&text[length..]))
}

pub(super) fn mark_length(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(SET)?.split_once('›')?.0;
    let is_mark = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_mark.then(|| SET.len() + DIGITS + '›'.len_utf8())
}

pub(super) fn mark(text: &str) -> String {
    format!("{SET}{}›", &blake3::hash(text.as_bytes()).to_hex()[..DIGITS])
}
