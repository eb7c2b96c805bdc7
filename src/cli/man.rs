//! `warroom man`: manual pages of warroom and of each subcommand, from the arguments as clap reads them.

use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use super::args::{self, Args};
use super::{Exit, complain, say, warn};
use crate::data::Problem;

/// Prints one page, or writes all of them into a folder.
pub(super) fn man(wanted: &args::Man) -> io::Result<Exit> {
    match &wanted.dir {
        Some(folder) => write_all(folder),
        None => print(&wanted.subcommand),
    }
}

/// The command line with the global flags in every subcommand, and without `help`, which has no page.
fn built() -> clap::Command {
    let mut command = Args::command().disable_help_subcommand(true);
    command.build();
    command
}

fn page(command: &clap::Command) -> Man {
    Man::new(command.clone()).source(concat!("warroom ", env!("CARGO_PKG_VERSION")))
}

fn print(path: &[String]) -> io::Result<Exit> {
    let mut command = &built();
    for name in path {
        match command.find_subcommand(name) {
            Some(found) => command = found,
            None => return Ok(complain(&unknown(command, name))),
        }
    }
    page(command).render(&mut io::stdout())?;
    Ok(Exit::Done)
}

fn unknown(command: &clap::Command, name: &str) -> String {
    Problem::unknown("subcommand", name, command.get_subcommands().map(clap::Command::get_name)).to_string()
}

/// Writes every page into a folder, which is created if it is missing.
fn write_all(folder: &Path) -> io::Result<Exit> {
    let written = std::fs::create_dir_all(folder).and_then(|()| write_below(folder, &built()));
    match written {
        Ok(pages) => say(format_args!("{pages} manual pages written to {}", folder.display()))?,
        Err(error) => {
            warn(format_args!("warroom: manual pages cannot be written to {}: {error}", folder.display()));
            return Ok(Exit::Failed);
        }
    }
    Ok(Exit::Done)
}

/// Writes the page of a command and of all below it; answers how many.
fn write_below(folder: &Path, command: &clap::Command) -> io::Result<usize> {
    page(command).generate_to(folder)?;
    let mut pages = 1;
    for subcommand in command.get_subcommands() {
        pages += write_below(folder, subcommand)?;
    }
    Ok(pages)
}
