//! `warroom init`: finds Prometheus, Alertmanager and Kafka, tests them, asks, and writes it into the
//! settings.

mod ask;
mod kafka;
mod service;

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use super::args::Init;
use super::{CommandContext, Exit, complain, say, warn};
use crate::clean::{Clean, cleaned};
use crate::config::{Endpoint, edit};
use crate::net::connect::{Connection, connect};
use crate::net::discovery::{Discovery, ServiceKind};
use crate::session::SessionConfig;

/// What is to become of a table in the settings.
enum Chosen<T> {
    /// It is written.
    New(Box<T>),
    /// It stays as it is.
    Kept,
    /// There is none, and will be none.
    Nothing,
    /// What somebody named does not work, and is not written.
    Failed,
    /// Whoever was asked went away.
    Stop,
}

impl<T> Chosen<T> {
    /// The same of what it is written as.
    fn map<U>(self, written: impl FnOnce(&T) -> U) -> Chosen<U> {
        match self {
            Self::New(new) => Chosen::New(Box::new(written(&new))),
            Self::Kept => Chosen::Kept,
            Self::Nothing => Chosen::Nothing,
            Self::Failed => Chosen::Failed,
            Self::Stop => Chosen::Stop,
        }
    }
}

/// What was chosen so far.
#[derive(Default)]
struct Choices {
    entries: Vec<edit::SettingsTable>,
    known: bool,
    failed: bool,
}

impl Choices {
    /// Takes one more; answers whether to go on.
    fn take(&mut self, chosen: Chosen<edit::SettingsTable>) -> bool {
        match chosen {
            Chosen::New(entry) => self.entries.push(*entry),
            Chosen::Kept => self.known = true,
            Chosen::Nothing => {}
            Chosen::Failed => self.failed = true,
            Chosen::Stop => return false,
        }
        true
    }
}

/// What an init works with.
struct Finder<'a> {
    context: &'a CommandContext,
    wanted: &'a SessionConfig,
    connection: &'a Connection,
    /// Where a session would look first.
    namespace: Option<&'a Clean>,
    discovery: Discovery,
    /// Whether somebody is there to be asked.
    asks: bool,
}

pub(super) async fn init(context: &CommandContext, flags: &Init) -> color_eyre::Result<Exit> {
    let silent = flags.yes || flags.dry_run;
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    if !silent && !terminal {
        return Ok(complain(
            "init asks questions, and this is no terminal: give --yes to take the best that is found, or --dry-run to see it",
        ));
    }
    let wanted = super::session::wanted(context, false);
    let main = wanted.connect.first().cloned().unwrap_or_default();
    let connection = match connect(&main, &wanted.timing).await {
        Ok(connection) => connection,
        Err(error) => return Ok(complain(&error.to_string())),
    };
    let namespace = wanted.namespaces.iter().flatten().next().or(connection.namespace.as_ref());
    let discovery =
        Discovery::new(connection.reader.clone(), namespace.map(ToString::to_string), &wanted.timing);
    let finder =
        Finder { context, wanted: &wanted, connection: &connection, namespace, discovery, asks: !silent };
    match finder.discovery.catalog().await {
        Ok(catalog) => {
            say(cleaned(&format!("context {}: looked at {}", finder.connection.context, catalog.looked)))?;
        }
        Err(failure) => {
            warn(format_args!("warroom: the cluster cannot be searched: {failure}"));
            if !finder.asks {
                return Ok(Exit::Failed);
            }
        }
    }
    finder.run(flags).await
}

impl Finder<'_> {
    async fn run(&self, flags: &Init) -> color_eyre::Result<Exit> {
        let comment = format!("found by `warroom init` in context {}", cleaned(&self.connection.context));
        let mut choices = Choices::default();
        for what in [ServiceKind::Prometheus, ServiceKind::Alertmanager] {
            let entry = |endpoint: &Endpoint| {
                edit::SettingsTable::endpoint(
                    what.settings().2,
                    endpoint,
                    &self.context.paths.config_dir,
                    &comment,
                )
            };
            if !choices.take(self.service(what).await?.map(entry)) {
                return Ok(Exit::Refused);
            }
        }
        if !choices.take(self.kafka().await?.map(|kafka| edit::SettingsTable::kafka(kafka, &comment))) {
            return Ok(Exit::Refused);
        }
        let Choices { entries, known, failed } = choices;
        if entries.is_empty() {
            say("nothing to write")?;
            return Ok(if known && !failed { Exit::Done } else { Exit::Failed });
        }
        let exit = self.write(&entries, flags.dry_run)?;
        Ok(if failed && exit == Exit::Done { Exit::Failed } else { exit })
    }

    /// Writes, asks before it changes a file that is there, or only shows.
    fn write(&self, entries: &[edit::SettingsTable], dry_run: bool) -> color_eyre::Result<Exit> {
        let path = self.path();
        let old = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            text => Some(text?),
        };
        let text = match edit::with(old.as_deref().unwrap_or_default(), entries) {
            Ok(text) => text,
            Err(why) => return Ok(complain(&format!("{} cannot be changed: {why}", path.display()))),
        };
        if dry_run {
            say(format_args!("--- {} would be:", path.display()))?;
            say(cleaned_lines(&text))?;
            return Ok(Exit::Done);
        }
        if self.asks {
            say(cleaned_lines(&text))?;
            let question = if old.is_some() { "Change" } else { "Write" };
            if !ask::agreed(&format!("{question} {}?", path.display()))? {
                say("nothing is written")?;
                return Ok(Exit::Refused);
            }
        }
        if let Err(error) = edit::write_private(&path, &text) {
            warn(format_args!("warroom: {} cannot be written: {error}; nothing is changed", path.display()));
            return Ok(Exit::Failed);
        }
        say(format_args!("written: {}; `warroom doctor` looks at all of it", path.display()))?;
        Ok(Exit::Done)
    }

    fn path(&self) -> PathBuf {
        self.context.paths.config_dir.join("config.toml")
    }
}

/// Several lines, each cleaned.
fn cleaned_lines(text: &str) -> String {
    text.trim_end().lines().map(|line| cleaned(line).into_owned()).collect::<Vec<_>>().join("\n")
}
