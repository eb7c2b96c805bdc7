//! The way to the person's own terminal: which sequences it understands, and what stands between it and this
//! process. Pure: bytes in, bytes out.

use crate::clean::cleaned;

/// Characters of a notification.
const LONGEST: usize = 200;

/// Which sequences reach the terminal, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Capabilities {
    /// tmux stands between, and hands on only what is wrapped for it (its `allow-passthrough`).
    tmux: bool,
    /// Notifications are OSC 777, as rxvt and foot read them; otherwise OSC 9, as iTerm2, kitty, `WezTerm`,
    /// Ghostty and others do.
    rxvt: bool,
}

impl Capabilities {
    /// Judged by the environment that `env` reads.
    pub(super) fn detect(env: impl Fn(&str) -> Option<String>) -> Self {
        let term = env("TERM").unwrap_or_default();
        let tmux = env("TMUX").is_some_and(|socket| !socket.is_empty());
        Self { tmux, rxvt: term.starts_with("rxvt") || term.starts_with("foot") }
    }

    /// A notification of the desktop.
    pub(super) fn notification(self, text: &str) -> Vec<u8> {
        // A semicolon parts the fields of OSC 777, and a number before one is a command of its own in OSC 9.
        let text: String =
            cleaned(text).chars().take(LONGEST).map(|c| if c == ';' { ',' } else { c }).collect();
        let sequence = if self.rxvt {
            format!("\x1b]777;notify;warroom;{text}\x07")
        } else {
            format!("\x1b]9;warroom: {text}\x07")
        };
        if self.tmux { wrapped(sequence.as_bytes()) } else { sequence.into_bytes() }
    }

    /// What puts text on the clipboard. tmux itself takes it where `set-clipboard` is on, and hands it on
    /// where it may: both are tried.
    pub(super) fn copy(self, sequence: &[u8]) -> Vec<u8> {
        if self.tmux { [sequence, &wrapped(sequence)].concat() } else { sequence.to_vec() }
    }
}

/// A sequence that tmux hands on as it is: each escape character twice.
fn wrapped(sequence: &[u8]) -> Vec<u8> {
    let doubled =
        sequence.iter().flat_map(|byte| std::iter::repeat_n(*byte, if *byte == 0x1b { 2 } else { 1 }));
    b"\x1bPtmux;".iter().copied().chain(doubled).chain(*b"\x1b\\").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(env: &[(&str, &str)]) -> Capabilities {
        Capabilities::detect(|name| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn each_terminal_gets_the_sequence_that_it_reads() {
        for (env, bytes) in [
            (&[("TERM", "xterm-kitty")][..], "\x1b]9;warroom: ocr-service: 1, 2\x07"),
            (&[("TERM", "foot")], "\x1b]777;notify;warroom;ocr-service: 1, 2\x07"),
            (
                &[("TERM", "tmux-256color"), ("TMUX", "/tmp/x")],
                "\x1bPtmux;\x1b\x1b]9;warroom: ocr-service: 1, 2\x07\x1b\\",
            ),
        ] {
            assert_eq!(String::from_utf8(way(env).notification("ocr-service: 1; 2")).unwrap(), bytes);
        }
    }

    #[test]
    fn what_came_from_outside_cannot_end_the_sequence() {
        let bytes = way(&[]).notification("a\x1b\\\x07]52;c;\u{9c}b");
        assert_eq!(bytes.iter().filter(|byte| matches!(byte, 0x07 | 0x1b)).count(), 2);
    }

    #[test]
    fn under_tmux_a_copy_goes_both_ways() {
        assert_eq!(way(&[]).copy(b"\x1b]52;c;eA==\x1b\\"), b"\x1b]52;c;eA==\x1b\\");
        let both = way(&[("TMUX", "/tmp/x")]).copy(b"\x1b]52;c;eA==\x1b\\");
        assert_eq!(both, b"\x1b]52;c;eA==\x1b\\\x1bPtmux;\x1b\x1b]52;c;eA==\x1b\x1b\\\x1b\\");
    }
}
