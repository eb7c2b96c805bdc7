//! `warroom check`: every mistake in settings, keymaps, themes and runbooks, all at once.

use std::path::PathBuf;

use super::Exit;
use crate::config::{self, Paths};

pub(super) fn check(paths: &Paths, files: &[PathBuf]) -> Exit {
    let mistakes = config::check(paths, files);
    for mistake in &mistakes {
        println!("{}", crate::clean::cleaned(&mistake.to_string()));
    }
    if mistakes.is_empty() {
        println!("no mistakes");
        return Exit::Done;
    }
    Exit::Usage
}
