//! Which names mark what stands under them as a secret: of keys, variables, flags, headers.

/// Part of a key's name, once it is in lower case and without `-`, `_`, `.` and spaces, that marks its value
/// as a secret.
const SECRET_PARTS: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "authorization",
    "apikey",
    "privatekey",
    "accesskey",
    "signingkey",
    "encryptionkey",
    "clientkeydata",
    "credential",
    "cookie",
    "lastappliedconfiguration", // kubectl's copy of the whole manifest
];

/// Whole words that do so as the last word of a key.
const SECRET_WORDS: [&str; 4] = ["auth", "pass", "pwd", "dockercfg"];

/// Keys of Kubernetes objects that name a secret, or speak of one, without holding any.
const REFERENCES: [&str; 9] = [
    "secretname",
    "secretkeyref",
    "secretref",
    "secretnamespace",
    "imagepullsecrets",
    "automountserviceaccounttoken",
    "serviceaccounttoken",
    "continuetoken",
    "tokenexpirationseconds",
];

/// Whether a value under this key is taken for a secret. Asked for every key of every record.
pub fn is_secret_key(key: &str) -> bool {
    let squeezed: Vec<u8> =
        key.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect();
    let begins = |at: usize, part: &str| {
        part.as_bytes()[0] == squeezed[at] && squeezed[at..].starts_with(part.as_bytes())
    };
    let has_part = (0..squeezed.len()).any(|at| SECRET_PARTS.iter().any(|part| begins(at, part)));
    let last_word = key.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or(key);
    let is_secret = has_part || SECRET_WORDS.iter().any(|word| last_word.eq_ignore_ascii_case(word));
    is_secret && !REFERENCES.iter().any(|reference| squeezed == reference.as_bytes())
}
