//! Secrets by their look, in text that somebody typed or a program wrote: headers, `key=value`, addresses
//! with a password, well-known kinds of tokens, private keys. One pass from left to right; each rule looks at
//! the place where a word begins, and not far ahead, so that a hostile log line costs no more than a long
//! one.

use std::borrow::Cow;
use std::ops::Range;

use super::mark::begins_hidden;
use super::{MARK, is_secret_key};

/// How tokens of well-known makers begin, and how many characters they have at least.
const TOKENS: [(&str, usize); 17] = [
    ("AKIA", 20), // AWS access keys
    ("ASIA", 20),
    ("AIza", 30), // Google
    ("ghp_", 20), // GitHub
    ("gho_", 20),
    ("ghs_", 20),
    ("github_pat_", 20),
    ("glpat-", 20), // GitLab
    ("xoxb-", 20),  // Slack
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("xapp-", 20),
    ("https://hooks.slack.com/services/", 40),
    ("sk_live_", 20), // Stripe
    ("hvs.", 20),     // Vault
    ("glsa_", 20),    // Grafana
    ("npm_", 30),
];

/// The shortest of them.
const SHORTEST: usize = 20;

/// Keys whose value is a secret behind a mere `key: value` too, where others are often prose
/// (`invalid token: expired`).
const BEHIND_COLON: [&str; 6] = ["password", "passwd", "passphrase", "apikey", "privatekey", "accesskey"];

/// Headers whose whole line is a secret.
const HEADERS: [&str; 5] = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-auth-token"];

/// The longest scheme, address and first part of a JSON web token that are looked at, in bytes.
const SCHEME: usize = 32;
const ADDRESS: usize = 2048;
const TOKEN_HEADER: usize = 1024;

/// `text` without what looks like a secret.
pub fn redact_text(text: &str) -> Cow<'_, str> {
    if is_too_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::new();
    let mut kept = 0; // up to where `text` is in `clean`
    let mut at = 0;
    while let Some(secret) = next_secret(text, at) {
        clean.push_str(&text[kept..secret.start]);
        clean.push_str(MARK);
        kept = secret.end;
        at = secret.end;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(&text[kept..]);
    Cow::Owned(clean)
}

/// Names, numbers and uids, of which most of a recording is: no sign that each rule but those for tokens
/// looks for, and too short for these.
fn is_too_plain(text: &str) -> bool {
    text.len() < SHORTEST && !text.bytes().any(|byte| matches!(byte, b' ' | b'=' | b':' | b'.'))
}

/// The first secret whose word begins at `from` or later.
fn next_secret(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let begins_word = |at: &usize| {
        (bytes[*at].is_ascii_alphanumeric() || bytes[*at] == b'-') && !is_inside_word(bytes, *at)
    };
    (from..bytes.len()).filter(begins_word).find_map(|at| secret_at(text, at))
}

/// A word goes on through letters and digits only, so that a token is found behind any punctuation; a run of
/// dashes begins once.
fn is_inside_word(bytes: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| bytes[before]) else { return false };
    if bytes[at] == b'-' { before == b'-' } else { before.is_ascii_alphanumeric() }
}

fn secret_at(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let found = private_key(rest)
        .or_else(|| known_token(rest))
        .or_else(|| json_web_token(rest))
        .or_else(|| password_in_address(rest))
        .or_else(|| scheme_and_credentials(rest))
        .or_else(|| if is_name_byte_before(text, at) { None } else { value_of_key(rest) })?;
    Some(at + found.start..at + found.end).filter(|range| !range.is_empty() && &text[range.clone()] != MARK)
}

fn run(text: &str, is_part: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !is_part(byte)).unwrap_or(text.len())
}

/// As [`run`], but no longer than `limit` bytes, or a character more.
fn run_within(text: &str, limit: usize, is_part: impl Fn(u8) -> bool) -> usize {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    run(&text[..end], is_part)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
}

fn is_name_byte_before(text: &str, at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| is_name_byte(text.as_bytes()[before]))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'+' | b'/' | b'=')
}

/// `-----BEGIN RSA PRIVATE KEY-----` to its end, or to the end of the text.
fn private_key(rest: &str) -> Option<Range<usize>> {
    let head = rest.strip_prefix("-----BEGIN ")?;
    let title = head.split_once("-----")?.0;
    if !title.ends_with("PRIVATE KEY") {
        return None;
    }
    let end = rest.find("-----END ").and_then(|end| Some(end + 9 + rest[end + 9..].find("-----")? + 5));
    Some(0..end.unwrap_or(rest.len()))
}

fn known_token(rest: &str) -> Option<Range<usize>> {
    let first = rest.as_bytes().first()?;
    let (prefix, least) =
        TOKENS.iter().find(|(prefix, _)| prefix.as_bytes()[0] == *first && rest.starts_with(prefix))?;
    let end = prefix.len() + run(&rest[prefix.len()..], is_token_byte);
    (end >= *least).then_some(0..end)
}

/// `eyJ…` is how `{"` begins in base64.
fn json_web_token(rest: &str) -> Option<Range<usize>> {
    if !rest.starts_with("eyJ") {
        return None;
    }
    let first = run_within(rest, TOKEN_HEADER, |byte| is_token_byte(byte) && byte != b'.');
    rest[first..].starts_with('.').then(|| 0..run(rest, is_token_byte))
}

/// `scheme://user:password@host`: what is between `//` and the last `@` of the authority. A password may hold
/// an unescaped slash.
fn password_in_address(rest: &str) -> Option<Range<usize>> {
    let scheme =
        run_within(rest, SCHEME, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let tail = rest[scheme..].strip_prefix("://")?;
    let start = scheme + 3;
    let in_address = |byte: u8| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b'<' | b'>');
    let address = &tail[..run_within(tail, ADDRESS, in_address)];
    let authority = &address[..run(address, |byte| !matches!(byte, b'/' | b'?' | b'#'))];
    let has_port_or_none =
        authority.rsplit_once(':').is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let searched = if authority.contains('@') || has_port_or_none { authority } else { address };
    searched.rfind('@').map(|end| start..start + end)
}

/// `Bearer abc`, `Basic dXNlcjpwYXNz`, where the second word is not plain prose.
fn scheme_and_credentials(rest: &str) -> Option<Range<usize>> {
    let scheme = run(rest, |byte| byte.is_ascii_alphabetic());
    let is_bearer = rest[..scheme].eq_ignore_ascii_case("bearer");
    if !is_bearer && !rest[..scheme].eq_ignore_ascii_case("basic") {
        return None;
    }
    let start = scheme + run(&rest[scheme..], |byte| byte == b' ');
    let word = &rest[start..start + run(&rest[start..], is_token_byte)];
    let is_prose = if is_bearer {
        word.starts_with("token") || word.starts_with("auth")
    } else {
        word.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    (start > scheme && !is_prose).then_some(start..start + word.len())
}

/// The value in `key=value`, `"key": "value"`, `--key=value`, `Authorization: …`.
fn value_of_key(rest: &str) -> Option<Range<usize>> {
    let name = run(rest, is_name_byte);
    let closing = name + run(&rest[name..], is_quote);
    let spaces = closing + run(&rest[closing..], |byte| byte == b' ');
    let sign = *rest.as_bytes().get(spaces)?;
    if !matches!(sign, b'=' | b':') || !is_secret_key(&rest[..name]) {
        return None;
    }
    let space_behind = run(&rest[spaces + 1..], |byte| byte == b' ');
    let opening = spaces + 1 + space_behind;
    let start = opening + run(&rest[opening..], is_quote);
    let value = &rest[start..];
    if begins_hidden(value) {
        return None;
    }
    let quotes = &rest[opening..start];
    let key = rest[..name].to_ascii_lowercase();
    let length = if !quotes.is_empty() {
        value.find(quotes).unwrap_or(value.len())
    } else if HEADERS.contains(&key.as_str()) {
        run(value, |byte| !matches!(byte, b'\n' | b'\r' | b'"' | b'\''))
    } else if sign == b'=' || closing > name || is_strong(&key) {
        end_of_bare(value)
    } else {
        return None;
    };
    Some(start..start + length)
}

/// Quotes may be escaped, where JSON stands in a text.
fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'\\' | b'`')
}

fn is_strong(key: &str) -> bool {
    let squeezed: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    BEHIND_COLON.iter().any(|part| squeezed.contains(part))
}

/// A value without quotes ends at a space or a quote, and where `,`, `;` or `&` begins the next `key=`.
fn end_of_bare(value: &str) -> usize {
    let ends = |(at, byte): (usize, u8)| match byte {
        b'"' | b'\'' | b'`' => true,
        b',' | b';' | b'&' => {
            let next = &value[at + 1..];
            let name = run(next, is_name_byte);
            name > 0 && next[name..].starts_with('=')
        }
        _ => byte.is_ascii_whitespace(),
    };
    value.bytes().enumerate().position(ends).unwrap_or(value.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_token_is_shorter_than_the_shortest() {
        assert_eq!(TOKENS.iter().map(|(_, least)| *least).min(), Some(SHORTEST));
    }

    proptest! {
        #[test]
        fn what_is_too_plain_holds_no_secret(head in "|eyJ|token|password|Bearer|https|-----BEGIN", tail in "[!-~]{0,16}") {
            let text = format!("{head}{tail}");
            prop_assert!(!is_too_plain(&text) || next_secret(&text, 0).is_none());
        }
    }
}
