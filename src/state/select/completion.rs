//! What a typed line can be completed to: the one list that the keys walk through and the view shows.

use std::cmp::Reverse;

use super::fuzzy;
use crate::clean::Clean;
use crate::data::Problem;
use crate::event::{ObjectKey, Purpose, Typed};
use crate::keymap::Action;
use crate::state::{Frame, Page, Picks};

/// A text that the line can be completed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Text that is accepted.
    pub text: Typed,
    /// Description in one line.
    pub about: Clean,
    /// Action that it runs, where that may have a key.
    pub action: Option<Action>,
}

impl Candidate {
    fn plain(text: impl Into<Clean>) -> Self {
        Self { text: text.into().into(), about: Clean::default(), action: None }
    }

    fn runs(action: Action, about: &str) -> Self {
        Self { text: Clean::from(action.to_string()).into(), about: about.into(), action: Some(action) }
    }
}

/// Returns the candidates for the typed line as it is now, the best first.
pub fn candidates(frame: &Frame<'_>) -> Vec<Candidate> {
    let Some(input) = &frame.screen.input else { return Vec::new() };
    match (&input.purpose, frame.screen.pages.last()) {
        (Purpose::Input, Some(Page::Form(form))) => form
            .choices(frame.world, frame.now, &input.text)
            .into_iter()
            .map(|choice| Candidate::plain(choice.value))
            .collect(),
        (Purpose::Command, _) if input.text.starts_with("ns ") => namespaces(frame, &input.text[3..]),
        (Purpose::Command, _) if input.text.starts_with("node ") => nodes(frame, &input.text[5..]),
        (Purpose::Command, _) => palette(frame, input.text.trim()),
        _ => Vec::new(),
    }
}

/// Returns the candidate that enter accepts: the chosen one; of a command that is none as it stands, the best
/// that begins as it is typed. Nobody leaves by a guess.
pub fn meant(frame: &Frame<'_>) -> Option<usize> {
    let input = frame.screen.input.as_ref()?;
    let typed = input.text.trim();
    let guess = input.purpose == Purpose::Command && !typed.is_empty() && !command(frame, &input.text);
    let all = candidates(frame);
    let quit = Some(Action::Quit);
    let begun = |candidate: &Candidate| {
        candidate.action != quit && names(candidate).any(|name| name.starts_with(typed))
    };
    input.candidate.or_else(|| all.iter().position(begun).filter(|_| guess)).filter(|at| *at < all.len())
}

/// Whether the line can be run as it is typed: an action, or a step with or without inputs.
fn command(frame: &Frame<'_>, line: &str) -> bool {
    let (first, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    let offers =
        [Picks::Theme, Picks::Keymap].into_iter().any(|picks| picks.word() == first && !rest.is_empty());
    let step = frame
        .runbook
        .step(if first == "step" { rest.split(' ').next().unwrap_or("") } else { first })
        .is_some();
    step || line.parse::<Action>().is_ok_and(|action| !matches!(action, Action::Step(_)))
        || offers && exact(frame, line.trim())
}

fn exact(frame: &Frame<'_>, line: &str) -> bool {
    all(frame).iter().any(|candidate| candidate.text.raw() == line)
}

/// Everything that can be run here. Nothing typed: older commands first.
fn palette(frame: &Frame<'_>, typed: &str) -> Vec<Candidate> {
    if typed.is_empty() {
        return frame
            .screen
            .history
            .iter()
            .map(|line| Candidate { text: line.clone(), ..Candidate::default() })
            .chain(all(frame))
            .collect();
    }
    let mut fitting: Vec<(i32, Candidate)> =
        all(frame).into_iter().filter_map(|c| Some((score(typed, &c)?, c))).collect();
    if fitting.is_empty() {
        return nearest(frame, typed).into_iter().collect();
    }
    fitting.sort_by_key(|(score, _)| Reverse(*score));
    fitting.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Returns the fault of a name by which nothing runs, with the nearest of all that can be run here. `None`
/// where something does.
pub fn unknown(frame: &Frame<'_>, name: &str) -> Option<Problem> {
    unknown_among(&all(frame), name)
}

fn unknown_among(all: &[Candidate], name: &str) -> Option<Problem> {
    let known: Vec<&str> = all.iter().flat_map(called).collect();
    (!known.contains(&name)).then(|| Problem::unknown("command", name, known))
}

/// What a slip of the fingers turns into what is typed.
fn nearest(frame: &Frame<'_>, typed: &str) -> Option<Candidate> {
    let all = all(frame);
    let near = unknown_among(&all, typed)?.nearest?;
    all.into_iter().find(|candidate| called(candidate).any(|name| name == near))
}

/// Its names, and of a step also its id alone, which runs it too.
fn called(candidate: &Candidate) -> impl Iterator<Item = &str> {
    let step = candidate
        .action
        .iter()
        .filter_map(|action| if let Action::Step(id) = action { Some(id.as_str()) } else { None });
    names(candidate).chain(step)
}

/// By its name, or by another name that the command line takes; a word of what it does counts little.
fn score(typed: &str, candidate: &Candidate) -> Option<i32> {
    let named = names(candidate).filter_map(|name| fuzzy::fit(typed, name)).max();
    let told = || candidate.about.to_lowercase().contains(&typed.to_lowercase()).then_some(i32::MIN / 2);
    named.or_else(told)
}

/// Its text, and the other names of what it runs.
fn names(candidate: &Candidate) -> impl Iterator<Item = &str> {
    let aliases = candidate.action.iter().flat_map(|action| match action {
        Action::Step(_) => &[][..],
        plain => plain.spec().aliases,
    });
    aliases.copied().chain([candidate.text.raw()])
}

fn all(frame: &Frame<'_>) -> Vec<Candidate> {
    let actions = Action::PLAIN
        .iter()
        .filter(|action| action.can_be_typed())
        .map(|a| Candidate::runs(a.clone(), a.spec().doc));
    let steps = frame
        .runbook
        .offered(frame.world)
        .map(|step| Candidate::runs(Action::Step(step.id.to_string()), &step.title));
    let offer = |picks: Picks, names: &[Clean], about: &'static str| {
        let made = names.iter().map(move |name| Candidate {
            about: about.into(),
            ..Candidate::plain(format!("{} {name}", picks.word()))
        });
        made.collect::<Vec<_>>()
    };
    let screen = frame.screen;
    let themes = offer(Picks::Theme, &screen.themes.names, "Use this theme");
    let keymaps = offer(Picks::Keymap, &screen.keymaps.names, "Use this keymap");
    let completed = [Action::Namespaces(String::new()), Action::Node(String::new())];
    let begun =
        completed.iter().map(|a| Candidate { about: a.spec().doc.into(), ..Candidate::plain(a.to_string()) });
    steps.chain(actions).chain(begun).chain(themes).chain(keymaps).collect()
}

/// Completes the last of the namespaces that are named.
fn namespaces(frame: &Frame<'_>, typed: &str) -> Vec<Candidate> {
    let (before, last) = typed.rsplit_once([' ', ',']).map_or(("", typed), |(before, last)| (before, last));
    let before = if before.is_empty() { String::new() } else { format!("{before} ") };
    let watched = frame.world.session.iter().flat_map(|session| &session.namespaces).map(Clean::as_str);
    let mut known: Vec<&str> = frame.world.namespaces.keys().map(ObjectKey::id).chain(watched).collect();
    known.sort_unstable();
    known.dedup();
    let names = known.into_iter().chain(["all"]);
    let fitting = names.filter(|name| name.contains(last));
    fitting.map(|name| Candidate::runs(Action::Namespaces(format!("{before}{name}")), "")).collect()
}

fn nodes(frame: &Frame<'_>, typed: &str) -> Vec<Candidate> {
    let world = frame.world;
    let names = world.cluster.nodes.values().map(|node| world.place(node.meta.context(), &node.meta.name));
    names
        .filter(|name| name.contains(typed.trim()))
        .map(|name| Candidate::runs(Action::Node(name.into_owned()), ""))
        .collect()
}
