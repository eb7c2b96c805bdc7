//! The program: arguments in, exit code out; errors and panics are reported once the terminal is given back.

use std::process::ExitCode;

use warroom::{cli, terminal};

fn main() -> ExitCode {
    let args = cli::parse();
    if let Err(error) = report_panics() {
        eprintln!("warroom: {error}");
    }
    match cli::main(args) {
        Ok(exit) => exit.into(),
        Err(error) => {
            terminal::restore();
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

/// A panic of the main thread gives the terminal back before it is reported. One of a task is told on the screen by whoever owns the task:
/// writing it over the panes would help nobody.
fn report_panics() -> color_eyre::Result<()> {
    let (panic, error) = color_eyre::config::HookBuilder::default().into_hooks();
    error.install()?;
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name() == Some("main") {
            terminal::restore();
            eprintln!("{}", panic.panic_report(info));
        }
    }));
    Ok(())
}
