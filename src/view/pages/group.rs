//! One consumer group in full: what it does, who is in it, and each topic's partitions; topics that it has
//! left stand apart.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::event::{Kind, PartitionLag};
use crate::state::{Frame, Group, GroupDetail, GroupState, Partition};
use crate::theme::Role;
use crate::units;
use crate::view::Look;
use crate::view::pages::Draw;
use crate::view::panes::lag;
use crate::view::primitives::text::Row;
use crate::view::primitives::{pane, symbols};

/// Columns that a line is easily read in.
const COLUMNS: u16 = 130;

/// Columns of the table: the mark and number, the state, the lag, the age, and at least so many of the two
/// offsets.
const NUMBER: usize = 5;
const STATE: usize = 8;
const LAG: usize = 10;
const AGE: usize = 9;
const OFFSET: usize = 11;

/// What the lines are made with.
struct Page<'a> {
    look: &'a Look<'a>,
    columns: u16,
    /// Columns of an offset.
    offset: usize,
    lines: Vec<Row>,
}

impl Draw for GroupDetail {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
        let GroupDetail { id, scroll } = self;
        let scroll = *scroll;
        let columns = COLUMNS.min(body.width);
        let mut page = Page { look, columns: columns.saturating_sub(2), offset: OFFSET, lines: Vec::new() };
        match frame.world.lag.groups.get(id) {
            Some(group) => page.group(frame, group),
            None => page.fact("", Role::Warn, "▲ it is gone: the brokers no longer list this group"),
        }
        let area = pane::centred(body, columns, u16::try_from(page.lines.len() + 2).unwrap_or(u16::MAX));
        let inside =
            pane::overlay(look, Role::BorderFocus, &format!("group {id}"), &lag::note(frame), area, buf);
        pane::scrolled(look, inside, page.lines, scroll, buf);
    }
}

impl Page<'_> {
    fn row(&self) -> Row {
        Row::new(self.columns).gap(1)
    }

    fn fact(&mut self, label: &str, role: Role, words: &str) {
        let row =
            self.row().gap(1).cell(self.look.style(Role::Dim), label, if label.is_empty() { 0 } else { 12 });
        self.lines.push(row.text(self.look.style(role), words));
    }

    fn group(&mut self, frame: &Frame<'_>, group: &Group) {
        let (mark, role) = symbols::group(group);
        self.fact("state", role, &format!("{mark} {}  {}", lag::word(group), meaning(group)));
        let growth = group
            .growth()
            .map(|growth| format!("  {} {:.0}/s", symbols::trend(Some(growth)), growth.abs()))
            .unwrap_or_default();
        self.fact(
            "lag",
            Role::Text,
            &format!("{}{}{growth}", units::count(group.lag()), beside(group.unknown())),
        );
        let behind = group.seconds_behind().map_or_else(|| "–".to_owned(), units::seconds);
        let drained = lag::drained(group);
        self.fact(
            "behind",
            Role::Text,
            &[behind, drained].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "),
        );
        self.fact(
            "members",
            Role::Text,
            &group.now.members.map_or_else(|| "–".to_owned(), |members| members.to_string()),
        );
        if let Some(workload) = frame.world.consumer(&group.now.group) {
            let kind = if workload.kind == Kind::StatefulSet { "statefulset" } else { "deployment" };
            let ready =
                format!("{kind} {}, {} of {} ready", workload.meta.name, workload.ready, workload.desired);
            self.fact(
                "named as",
                if workload.ready < workload.desired { Role::Warn } else { Role::Text },
                &ready,
            );
        }
        let (left, read): (Vec<_>, Vec<_>) =
            group.partitions().partition(|p| group.abandoned.contains(&p.now.topic));
        let widest = group
            .now
            .partitions
            .iter()
            .map(|p| units::count(p.end).len().max(units::count(p.committed).len()))
            .max();
        self.offset = widest.map_or(OFFSET, |widest| (widest + 2).max(OFFSET));
        self.topics(&read, None);
        self.topics(&left, Some("abandoned, not in the sum"));
        if group.now.partitions.is_empty() {
            self.fact("", Role::Dim, "nothing was ever committed, and no partition is assigned");
        }
    }

    fn topics(&mut self, partitions: &[Partition<'_>], apart: Option<&str>) {
        for of_one in partitions.chunk_by(|a, b| a.now.topic == b.now.topic) {
            let dim = self.look.style(Role::Dim);
            let title = self.look.style(if apart.is_some() { Role::Dim } else { Role::Title });
            let lag = of_one.iter().filter_map(|p| p.now.lag()).reduce(i64::saturating_add);
            let unknown = beside(of_one.iter().filter(|p| p.now.lag().is_none()).count());
            let about = apart.map(|apart| format!(" · {apart}")).unwrap_or_default();
            let topic = of_one.first().map_or("", |partition| &partition.now.topic);
            let head = self.row().text(title, topic).gap(2);
            let head = head.text(
                dim,
                &format!(
                    "{} · lag {}{unknown}{about}",
                    units::counted(of_one.len(), "partition"),
                    units::count(lag)
                ),
            );
            let row = self
                .row()
                .gap(1)
                .number(dim, "part", NUMBER - 1)
                .gap(1)
                .cell(dim, "state", STATE)
                .number(dim, "lag", LAG);
            let row = row.number(dim, "behind", AGE).number(dim, "committed", self.offset).number(
                dim,
                "end",
                self.offset,
            );
            self.lines.extend([Row::new(self.columns), head, row.gap(2).text(dim, "consumer")]);
            for partition in of_one {
                self.partition(partition, apart.is_some());
            }
        }
    }

    fn partition(&mut self, Partition { now, state, seconds_behind }: &Partition<'_>, apart: bool) {
        let (mark, role) = symbols::partition(*state);
        let role = if apart { Role::Dim } else { role };
        let own = self.look.style(role);
        let dim = self.look.style(Role::Dim);
        let text = self.look.style(if apart { Role::Dim } else { Role::Text });
        let row = self
            .row()
            .text(own, mark)
            .number(text, &now.partition.to_string(), NUMBER - 1)
            .gap(1)
            .cell(own, state.word(), STATE);
        let row =
            row.number(if *state > GroupState::Unknown { own } else { text }, &units::count(now.lag()), LAG);
        let row = row.number(text, &seconds_behind.map_or_else(|| "–".to_owned(), units::seconds), AGE);
        let row = row.number(dim, &units::count(now.committed), self.offset).number(
            dim,
            &units::count(now.end),
            self.offset,
        );
        self.lines.push(row.gap(2).text(text, &consumer(now)));
        if let Some(lost) = now.lost().filter(|lost| *lost > 0) {
            let words = format!(
                "▲ {} lost to retention: the log begins at {}",
                units::count(Some(lost)),
                units::count(now.start)
            );
            let row = self.row().gap(NUMBER + 1).text(self.look.style(Role::Critical), &words);
            self.lines.push(row);
        }
    }
}

/// ` + 1 unknown`: partitions that a sum leaves out.
fn beside(unknown: usize) -> String {
    if unknown == 0 { String::new() } else { format!(" + {unknown} unknown") }
}

/// `kgo at 10.244.0.9`; `–` where nobody reads it, or nobody tells.
fn consumer(partition: &PartitionLag) -> String {
    match (&partition.client, &partition.host) {
        (Some(client), Some(host)) => format!("{client} at {host}"),
        (Some(one), None) | (None, Some(one)) => one.to_string(),
        (None, None) => "–".to_owned(),
    }
}

/// What a state says, in words; while too few commits were seen to judge by, how many.
fn meaning(group: &Group) -> String {
    let told = match group.state() {
        GroupState::Ok if group.in_trouble() => "its lag grows from reading to reading",
        GroupState::Ok if group.window().is_some() => "so far",
        GroupState::Ok => "keeps up",
        GroupState::Unknown => "nothing committed, or no end of a log",
        GroupState::Warn => "commits, but its lag never drops",
        GroupState::Rewind => "its offset went back and has not caught up",
        GroupState::Stall => "has members, but its offsets do not move",
        GroupState::Stop => "has lag, and nothing is committed",
    };
    let judged = group.window().filter(|_| group.state() == GroupState::Ok);
    judged
        .map_or_else(|| told.to_owned(), |(seen, needed)| format!("{told}: {seen} of {needed} commits seen"))
}
