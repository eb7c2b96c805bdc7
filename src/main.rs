//! The program: arguments in, exit code out; errors and panics are reported once the terminal is given back.

use std::io::{self, Write};
use std::process::ExitCode;

use warroom::{cli, terminal};

fn main() -> ExitCode {
    let args = cli::parse();
    if let Err(error) = report_panics() {
        report(&format!("warroom: {error}"));
    }
    match cli::main(args) {
        Ok(exit) => exit.into(),
        Err(error) if unheard(&error) => ExitCode::FAILURE,
        Err(error) => {
            terminal::restore();
            report(&format!("{error:?}"));
            ExitCode::FAILURE
        }
    }
}

/// A panic of the main thread gives the terminal back before it is reported. One of a task is told on the
/// screen by whoever owns the task: writing it over the panes would help nobody.
fn report_panics() -> color_eyre::Result<()> {
    let (panic, error) = color_eyre::config::HookBuilder::default().into_hooks();
    error.install()?;
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name() == Some("main") {
            terminal::restore();
            report(&panic.panic_report(info).to_string());
        }
    }));
    Ok(())
}

/// Whether it failed only because nobody reads what it says, as with `| head`.
fn unheard(error: &color_eyre::Report) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// To stderr, if anybody is there to read it: a panic for want of a terminal would abort the program.
fn report(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
