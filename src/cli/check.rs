//! `warroom check`: every mistake in settings, keymaps, themes and runbooks, all at once.

use std::io;
use std::path::PathBuf;

use super::{Exit, say};
use crate::config::{self, Checked, Paths};

pub(super) fn check(paths: &Paths, files: &[PathBuf]) -> io::Result<Exit> {
    let Checked { mistakes, warnings } = config::check(paths, files);
    for mistake in &mistakes {
        say(crate::clean::cleaned(&mistake.to_string()))?;
    }
    for warning in &warnings {
        say(crate::clean::cleaned(&format!("{warning} (warning)")))?;
    }
    if mistakes.is_empty() {
        say("no mistakes")?;
        return Ok(Exit::Done);
    }
    Ok(Exit::Usage)
}
