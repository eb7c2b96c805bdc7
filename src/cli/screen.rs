//! The full screen: on a cluster, or over a recording.

use std::path::Path;

use tokio::sync::mpsc;

use super::{CommandContext, Exit, complain, warn};
use crate::clean::Clean;
use crate::config::Paths;
use crate::event::{Event, Preferences, Setup, View};
use crate::net::clock::Clock;
use crate::runtime::live::Live;
use crate::runtime::player::Player;
use crate::runtime::{Core, Keys, Looks, replay as player};
use crate::session::{self, Running, SessionConfig};
use crate::source::keyboard::Keyboard;
use crate::terminal::{self, Screen};

/// Keys that may wait.
const INPUTS: usize = 256;

/// `warroom`
pub(super) async fn live(context: &CommandContext) -> color_eyre::Result<Exit> {
    let wanted = super::session::wanted(context, true);
    Box::pin(watch(context, wanted, &context.paths, Clock::system())).await
}

/// Opens a session and shows it.
pub(super) async fn watch(
    context: &CommandContext,
    wanted: SessionConfig,
    paths: &Paths,
    clock: Clock,
) -> color_eyre::Result<Exit> {
    if let Err(error) = Screen::possible() {
        return Ok(complain(&error.to_string()));
    }
    match session::open(wanted, paths, context.runbook(), clock).await {
        Ok(running) => Box::pin(show(context, running)).await,
        Err(error) => Ok(complain(&error.to_string())),
    }
}

async fn show(context: &CommandContext, running: Running) -> color_eyre::Result<Exit> {
    let Running { core, executor, events, sources, first } = running;
    let (inputs, typed) = mpsc::channel(INPUTS);
    let screen = Screen::take()?;
    let keyboard = Keyboard::listen(inputs)?;
    let mut live = Live::new(core, keys(context), screen, looks(context), executor, events);
    live.begin([vec![Event::View(View::Began(setup(context)))], first].concat())?;
    let (core, ended) = live.run(typed).await;
    let farewell = seal(core); // it may take its time: what is typed meanwhile is not for the shell yet
    terminal::restore();
    drop((sources, keyboard));
    farewell?.into_iter().for_each(warn);
    ended?;
    Ok(Exit::Done)
}

/// Seals the recording; what there is to say of it. What is still unknown leaves it unsealed: the next
/// session reads what became of it.
fn seal(mut core: Core) -> color_eyre::Result<Vec<String>> {
    let Some(path) = core.recording().map(Path::to_owned) else { return Ok(Vec::new()) };
    let open = core.state.world.runs.all().filter(|run| run.unanswered()).count();
    if open == 0 {
        core.seal()?;
    }
    let unknown = (open > 0)
        .then(|| format!("{open} unknown: the next warroom on this cluster reads what became of it"));
    Ok(unknown
        .into_iter()
        .chain([format!("recorded; see it again: warroom replay {}", path.display())])
        .collect())
}

/// `warroom replay`
pub(super) async fn replay(
    context: &CommandContext,
    path: &Path,
    at: Option<&str>,
) -> color_eyre::Result<Exit> {
    let args = &context.args;
    if !args.contexts.is_empty() || !args.namespaces.is_empty() || args.all_namespaces || args.kafka.is_some()
    {
        return Ok(complain(
            "replay shows what was recorded: it takes no --context, --namespace, --all-namespaces or --kafka",
        ));
    }
    if let Err(error) = Screen::possible() {
        return Ok(complain(&error.to_string()));
    }
    let mut played = match Player::open(path, context.runbook()) {
        Ok(played) => played,
        Err(error) => return Ok(complain(&error.to_string())),
    };
    if let Some(Err(why)) = at.map(|at| played.seek(at)) {
        return Ok(complain(&why.to_string()));
    }
    let (inputs, typed) = mpsc::channel(INPUTS);
    let screen = Screen::take()?;
    let keyboard = Keyboard::listen(inputs)?;
    let ended = player::run(played, keys(context), screen, looks(context), setup(context), typed).await;
    terminal::restore();
    drop(keyboard);
    ended?;
    Ok(Exit::Done)
}

fn keys(context: &CommandContext) -> Keys {
    Keys(context.config.keymaps.iter().map(|(_, keymap)| keymap.clone()).collect())
}

/// What there is to choose from on the screen, and how it begins.
fn setup(context: &CommandContext) -> Setup {
    let config = &context.config;
    let settings = &context.config.settings;
    let remote = std::env::var_os("SSH_CONNECTION").is_some_and(|connection| !connection.is_empty());
    Setup {
        themes: config.themes.iter().map(|(name, _)| Clean::new(name)).collect(),
        keymaps: config.keymaps.iter().map(|(name, _)| Clean::new(name)).collect(),
        seat: Preferences { wall: false, mouse: settings.mouse, remote },
        call_by: settings.notify,
    }
}

fn looks(context: &CommandContext) -> Looks {
    let dumb = std::env::var("TERM").is_ok_and(|term| matches!(term.as_str(), "dumb" | "linux" | "vt100"));
    let unicode = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let plain = unicode.is_some_and(|locale| matches!(locale.as_str(), "C" | "POSIX"));
    Looks {
        themes: context.config.themes.iter().map(|(_, theme)| theme.clone()).collect(),
        ascii: context.args.ascii || dumb || plain,
    }
}
