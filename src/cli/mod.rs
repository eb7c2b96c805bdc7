//! The command line: what can be asked for. Each command is a module of its own.

mod args;
mod check;
#[cfg(feature = "sim")]
mod demo;
mod doctor;
mod exit;
mod init;
mod man;
mod recordings;
mod run;
mod runbook;
mod screen;
mod session;
mod status;
#[cfg(feature = "sim")]
mod step_tests;
mod steps;

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;

use clap::{CommandFactory, Parser};

pub use args::{Args, Command};
pub use exit::Exit;

use crate::config::{self, Config, Paths};
use crate::data::Mistake;
#[cfg(feature = "sim")]
use crate::runbook::built_in;
use crate::runbook::{Runbook, embedded};
use crate::theme::ColorDepth;

/// What a command works with.
struct CommandContext {
    args: Args,
    paths: Paths,
    config: Config,
}

impl CommandContext {
    /// The kube-contexts that the flags name, or the settings, the main one first; none is the kubeconfig's
    /// current one.
    fn contexts(&self) -> &[String] {
        let named = &self.args.contexts;
        let settings = &self.config.settings.contexts;
        if named.is_empty() { settings } else { named }
    }

    fn runbook(&self) -> Arc<Runbook> {
        Arc::new(self.config.runbook.clone())
    }
}

/// Runs the command that the arguments name.
///
/// # Errors
/// What nobody can foresee; everything else is an [`Exit`] with a sentence on stderr.
pub fn main(args: Args) -> color_eyre::Result<Exit> {
    if let Some(Command::Completions { shell }) = args.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Args::command(), "warroom", &mut script);
        io::stdout().write_all(&script)?;
        return Ok(Exit::Done);
    }
    if let Some(Command::Man(wanted)) = &args.command {
        return Ok(man::man(wanted)?);
    }
    if let Some(Command::Runbook { what }) = &args.command
        && let Some(exit) = runbook::without_settings(what)
    {
        return Ok(exit?);
    }
    let env = |name: &str| std::env::var(name).ok();
    let paths = match Paths::find(env) {
        Ok(paths) => paths,
        Err(error) => return Ok(complain(&error.to_string())),
    };
    if let Some(Command::Check { files }) = &args.command {
        return Ok(check::check(&paths, files)?);
    }
    if let Err(why) = config::apart(&args.contexts) {
        return Ok(complain(&format!("--context: {why}")));
    }
    match config::load_on(usual_runbook(&args), &paths, ColorDepth::detect(env)) {
        Ok(config) => command(&CommandContext { args, paths, config }),
        Err(mistakes) => Ok(mistaken(&mistakes)),
    }
}

/// The runbook that is taken unless the settings name another: the demo's cluster is of a team that has one.
fn usual_runbook(args: &Args) -> Result<Runbook, Vec<Mistake>> {
    #[cfg(feature = "sim")]
    if let (Some(Command::Demo(_)), Some((file, text))) = (&args.command, built_in("medcontracthub")) {
        return crate::runbook::read(file, text, None);
    }
    let _ = args;
    embedded()
}

fn command(context: &CommandContext) -> color_eyre::Result<Exit> {
    crate::net::stack::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let exit = runtime.block_on(async {
        match &context.args.command {
            None => screen::live(context).await,
            #[cfg(feature = "sim")]
            Some(Command::Demo(wanted)) => demo::demo(context, wanted).await,
            Some(Command::Replay { path, at }) => screen::replay(context, path, at.as_deref()).await,
            Some(Command::Steps { json }) => Ok(steps::steps(context, *json)?),
            #[cfg(feature = "sim")]
            Some(Command::Runbook { what: args::Runbook::Test { steps } }) => {
                Box::pin(step_tests::test(context, steps)).await
            }
            Some(Command::Runbook { what }) => Ok(runbook::runbook(context, what)?),
            Some(Command::Run(wanted)) => run::run(context, wanted).await,
            Some(Command::Status { json }) => status::status(context, *json).await,
            Some(Command::Init(flags)) => init::init(context, flags).await,
            Some(Command::Doctor { json }) => Box::pin(doctor::doctor(context, *json)).await,
            Some(Command::Recordings { what }) => Ok(recordings::recordings(context, what)?),
            Some(Command::Check { .. } | Command::Completions { .. } | Command::Man(_)) => Ok(Exit::Done),
        }
    });
    // A task that hangs on a dead server must not keep the terminal.
    runtime.shutdown_background();
    exit
}

/// Reads the arguments; wrong ones end the program with exit code 2, as clap does.
pub fn parse() -> Args {
    Args::parse()
}

/// Says what is wrong with what was asked for.
fn complain(what: &str) -> Exit {
    warn(format_args!("warroom: {what}"));
    Exit::Usage
}

fn mistaken(mistakes: &[Mistake]) -> Exit {
    mistakes.iter().for_each(warn);
    Exit::Usage
}

/// A line to stdout. An error means that nobody reads it to its end, as with `| head`, or that a disk is
/// full.
fn say(line: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// A cleaned line to stderr, if anybody is there to read it: a terminal that is gone must not end the program
/// half way.
fn warn(line: impl Display) {
    let _ = writeln!(io::stderr(), "{}", crate::clean::cleaned(&line.to_string()));
}
