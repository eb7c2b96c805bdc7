//! Questions at the terminal: a line with a default, yes or no, a secret that is not shown while it is typed.

use std::io::{self, BufRead, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::clean::cleaned;

/// Asks for a line. `None`: the end of the input, or ctrl-c where it does not end the program.
///
/// # Errors
/// The terminal is gone.
pub(super) fn line(question: &str) -> io::Result<Option<String>> {
    let mut out = io::stdout();
    write!(out, "{} ", cleaned(question))?;
    out.flush()?;
    let mut line = String::new();
    let length = io::stdin().lock().read_line(&mut line)?;
    Ok((length > 0 && !line.contains('\u{3}')).then(|| line.trim().to_owned()))
}

/// Asks yes or no; nothing typed means yes.
///
/// # Errors
/// The terminal is gone.
pub(super) fn agreed(question: &str) -> io::Result<bool> {
    yes(&format!("{question} [Y/n]"), true)
}

/// Asks whether to do what looks wrong; nothing typed means no.
///
/// # Errors
/// The terminal is gone.
pub(super) fn insisted(question: &str) -> io::Result<bool> {
    yes(&format!("{question} [y/N]"), false)
}

fn yes(question: &str, usual: bool) -> io::Result<bool> {
    let answer = line(question)?;
    Ok(answer.is_some_and(|answer| {
        if answer.is_empty() { usual } else { matches!(answer.to_lowercase().as_str(), "y" | "yes") }
    }))
}

/// Asks for what nobody should see.
///
/// # Errors
/// There is no terminal, or it is gone.
pub(super) fn secret(question: &str) -> io::Result<Option<String>> {
    let hidden = Hidden::new()?;
    let answer = line(question);
    drop(hidden);
    writeln!(io::stdout())?;
    answer
}

/// The terminal without echo, until this is dropped. ctrl-c comes as a character meanwhile: ended half way it
/// would stay mute.
struct Hidden(Termios);

impl Hidden {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut mute = before.clone();
        mute.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Flush, &mute)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _gone = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
