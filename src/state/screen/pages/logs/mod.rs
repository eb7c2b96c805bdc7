//! Followed logs: whose are followed, what came, and where the viewer goes among the lines.
//!
//! A workload's logs are those of its pods as the world has them. Its pods are looked up when it is opened;
//! from then on only in what the API server tells, so that following costs nothing that grows with the
//! cluster.

mod search;
mod view;

use super::{Page, PageKind};
use crate::clean::Clean;
use crate::effect::{Effect, Following, LogCopy};
use crate::event::{ClusterEvent, Level, LogExtent, LogNews, LogSource, Pod, Purpose, Uid};
use crate::keymap::{Action, Context};
use crate::state::{Cluster, Frame, Screen, State, in_hand};

pub use search::Search;
pub use view::{Anchor, LogLook, LogRow, LogStream, LogSubject, LogView, STREAMS, TAIL};

impl PageKind for LogView {
    const CONTEXTS: &'static [Context] = &[Context::Logs];
    const STOPS: bool = true;

    fn act(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
        act(state, action)
    }

    fn object(&self, _: &Frame<'_>) -> Option<Uid> {
        Some(self.subject.uid.clone())
    }

    fn name(&self, _: &Frame<'_>) -> Option<Clean> {
        Some(self.subject.name.clone())
    }

    fn closed(&self, _: &mut Screen) -> Vec<Effect> {
        vec![Effect::Unfollow]
    }
}

/// Lines of each container read at most when minutes are asked for.
const MOST: u32 = 20_000;
/// Columns of one movement to the side.
const SIDEWAYS: usize = 20;

/// The logs that have the keyboard.
fn top(state: &mut State) -> Option<&mut LogView> {
    match state.screen.pages.last_mut() {
        Some(Page::Logs(log)) => Some(log),
        _ => None,
    }
}

fn opened(state: &mut State) -> Option<&mut LogView> {
    state
        .screen
        .pages
        .iter_mut()
        .find_map(|page| if let Page::Logs(log) = page { Some(&mut **log) } else { None })
}

/// Opens the logs of what is selected or described.
pub fn open(state: &mut State, previous: bool) -> Vec<Effect> {
    let Some(subject) = subject(state) else {
        state.screen.tell(state.now, "choose a pod or a workload first (j, k)");
        return Vec::new();
    };
    let log = LogView::new(subject, 0, LogExtent { previous, minutes: None, lines: TAIL });
    state.screen.open(Box::new(log));
    follow(state, LogExtent { previous, minutes: None, lines: TAIL })
}

fn subject(state: &State) -> Option<LogSubject> {
    let uid = &in_hand(&state.frame())?;
    let cluster = &state.world.cluster;
    let workload = cluster.workloads.get(uid).map(|workload| (workload.kind.word(), &workload.meta));
    let (kind, meta) = workload.or_else(|| cluster.pods.get(uid).map(|pod| ("pod", &pod.meta)))?;
    Some(LogSubject { uid: uid.clone(), kind, name: meta.name.clone() })
}

/// Follows what is opened from the beginning, under a new number.
fn follow(state: &mut State, extent: LogExtent) -> Vec<Effect> {
    state.screen.followings += 1;
    let number = state.screen.followings;
    let Some(log) = opened(state) else { return Vec::new() };
    log.restart(number, extent);
    let uid = log.subject.uid.clone();
    let sources = sources(&state.world.cluster, &uid);
    let mut effects = vec![Effect::Unfollow];
    effects.extend(take_on(state, sources));
    effects
}

/// The containers of a workload's pods, or of one pod.
fn sources(cluster: &Cluster, uid: &Uid) -> Vec<LogSource> {
    let mut pods = cluster.row(uid).map(|row| cluster.pods_of(&row)).unwrap_or_default();
    if pods.is_empty() {
        pods.extend(cluster.pods.get(uid).map(AsRef::as_ref));
    }
    pods.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
    pods.into_iter().flat_map(sources_of).collect()
}

fn belongs(cluster: &Cluster, pod: &Pod, uid: &Uid) -> bool {
    pod.meta.uid == *uid || cluster.workload_of(pod).is_some_and(|workload| workload.meta.uid == *uid)
}

fn sources_of(pod: &Pod) -> Vec<LogSource> {
    let of = |container: &Clean| LogSource {
        namespace: pod.meta.namespace.clone(),
        pod: pod.meta.name.clone(),
        uid: pod.meta.uid.clone(),
        container: container.clone(),
    };
    pod.containers.iter().map(|container| of(&container.name)).collect()
}

/// Follows those that are new, as far as there is room.
fn take_on(state: &mut State, sources: Vec<LogSource>) -> Option<Effect> {
    let log = opened(state)?;
    let sources = log.add(sources);
    if sources.is_empty() {
        None
    } else {
        Some(Effect::Follow(Following { number: log.number, extent: log.extent, sources }))
    }
}

/// Follows pods of the opened workload that are new; one that came before its ReplicaSet was known as soon as
/// it is.
pub fn join(state: &mut State, event: &ClusterEvent) -> Vec<Effect> {
    let Some(log) = opened(state).filter(|log| !log.extent.previous) else { return Vec::new() };
    let uid = log.subject.uid.clone();
    let cluster = &state.world.cluster;
    let joining = match event {
        ClusterEvent::Pods(pods) => {
            pods.iter().filter(|pod| belongs(cluster, pod, &uid)).flat_map(|pod| sources_of(pod)).collect()
        }
        ClusterEvent::Revisions(all)
            if all.iter().any(|revision| revision.owner.as_ref().is_some_and(|owner| owner.uid == uid)) =>
        {
            sources(cluster, &uid)
        }
        _ => return Vec::new(),
    };
    if joining.is_empty() { Vec::new() } else { take_on(state, joining).into_iter().collect() }
}

/// Takes lines and states of the streams. Where one ended there is room for another.
pub fn hear(state: &mut State, news: &LogNews) -> Vec<Effect> {
    let Some(log) = opened(state).filter(|log| log.number == news.following) else { return Vec::new() };
    for (stream, now) in &news.states {
        log.tell(*stream, now);
    }
    log.extend(&news.lines);
    if log.left_out.is_empty() { Vec::new() } else { take_on(state, Vec::new()).into_iter().collect() }
}

/// What an action does while logs have the keyboard; none when it is not theirs.
fn act(state: &mut State, action: &Action) -> Option<Vec<Effect>> {
    let page = page(state);
    let log = top(state)?;
    match action {
        Action::Cancel if log.search.is_on() => return leave_search(state),
        Action::Follow => log.toggle_follow(),
        Action::Filter => state.screen.ask(Purpose::Search, "/", ""),
        Action::OnlyMatches => only_matches(state),
        Action::NextMatch | Action::PreviousMatch => {
            find(state, *action == Action::NextMatch, "match", |row| row.hit);
        }
        Action::NextError | Action::PreviousError => {
            find(state, *action == Action::NextError, "error", |row| row.line.level == Level::Error);
        }
        Action::ScrollLeft => log.right = log.right.saturating_sub(SIDEWAYS),
        Action::ScrollRight => log.right += SIDEWAYS,
        Action::ToggleWrap => state.screen.log_look.wrap ^= true,
        Action::ToggleTimes => state.screen.log_look.timeless ^= true,
        Action::ToggleRaw => state.screen.log_look.raw ^= true,
        Action::SaveLog => return Some(save(log)),
        Action::PreviousLogs => {
            let extent = LogExtent { previous: !log.extent.previous, ..log.extent };
            return Some(follow(state, extent));
        }
        action => match since(action) {
            Some(extent) => return Some(follow(state, extent)),
            None => return travel(log, action, page),
        },
    }
    Some(Vec::new())
}

fn since(action: &Action) -> Option<LogExtent> {
    let minutes = match action {
        Action::SinceMinute => Some(1),
        Action::SinceFive => Some(5),
        Action::SinceQuarter => Some(15),
        Action::SinceHour => Some(60),
        Action::SinceTail => None,
        _ => return None,
    };
    Some(LogExtent { previous: false, minutes, lines: if minutes.is_some() { MOST } else { TAIL } })
}

/// Rows of the log on a screen of this size; where lines are broken, one is all that can be said without
/// drawing them.
fn page(state: &State) -> usize {
    const CHROME: usize = 6; // the header's two lines, the frame's two, the streams' and the footer's
    if state.screen.log_look.wrap {
        1
    } else {
        usize::from(state.screen.size.1).saturating_sub(CHROME).max(1)
    }
}

fn travel(log: &mut LogView, action: &Action, page: usize) -> Option<Vec<Effect>> {
    let step = isize::try_from(page.max(20)).unwrap_or(isize::MAX);
    match action {
        Action::Down => log.scroll(1, page),
        Action::Up => log.scroll(-1, page),
        Action::PageDown => log.scroll(step, page),
        Action::PageUp => log.scroll(-step, page),
        Action::HalfPageDown => log.scroll(step / 2, page),
        Action::HalfPageUp => log.scroll(-step / 2, page),
        Action::Top => log.to_top(),
        Action::Bottom => log.to_newest(),
        _ => return None,
    }
    Some(Vec::new())
}

/// Without a search it asks for one first.
fn only_matches(state: &mut State) {
    let Some(log) = top(state) else { return };
    log.search.only = !log.search.only;
    if !log.search.is_on() {
        log.search.only = true;
        state.screen.ask(Purpose::Search, "only /", "");
    }
}

fn find(state: &mut State, forward: bool, what: &str, wanted: impl Fn(&LogRow) -> bool) {
    let page = page(state);
    let Some(log) = top(state) else { return };
    if !log.jump(forward, page, wanted) {
        state.screen.tell(state.now, format!("no {} {what}", if forward { "later" } else { "earlier" }));
    }
}

/// Searches as the text is typed.
pub fn look_for(state: &mut State, text: &Clean) {
    if let Some(log) = top(state) {
        log.look_for(text);
    }
}

/// Ends the search; where a line is typed, that is left first.
fn leave_search(state: &mut State) -> Option<Vec<Effect>> {
    state.screen.input.is_none().then(|| {
        search_again(state, &Clean::default());
        Vec::new()
    })
}

/// Restores an earlier search, or none: then no line is hidden.
pub fn search_again(state: &mut State, text: &Clean) {
    if let Some(log) = top(state) {
        log.look_for(text);
        log.search.only &= log.search.is_on();
    }
}

/// Commits the search: goes to the newest match that is not below what is seen.
pub fn searched(state: &mut State, text: &Clean) -> Vec<Effect> {
    look_for(state, text);
    let page = page(state);
    let Some(log) = top(state) else { return Vec::new() };
    if !log.search.is_on() {
        log.search.only = false;
        return Vec::new();
    }
    let found = log.jump(false, page, |row| row.hit) || log.jump(true, page, |row| row.hit);
    if !found {
        state.screen.tell(state.now, format!("nothing has {text:?} yet"));
    }
    Vec::new()
}

fn save(log: &LogView) -> Vec<Effect> {
    let lines = log.below(0).filter_map(|at| log.rows().get(at)).map(|row| row.line.clone()).collect();
    let sources = log.streams.iter().map(|stream| stream.source.clone()).collect();
    vec![Effect::SaveLog(Box::new(LogCopy { name: log.subject.name.clone(), sources, lines }))]
}
