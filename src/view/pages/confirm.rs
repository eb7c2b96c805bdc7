//! The question before a change: what it would do, what preflight found, exactly which requests would leave,
//! and the keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::event::{Allowed, DiffLine, DryRun, Op, Plan, Purpose, Server, Sign, StepCall, Weight};
use crate::keymap::{Action, Context};
use crate::state::{Dialog, Frame};
use crate::step::guard;
use crate::theme::Role;
use crate::units;
use crate::view::pages::Draw;
use crate::view::primitives::pane;
use crate::view::primitives::text::{Row, width, wrap};
use crate::view::{Look, footer};

/// Columns of the words at the left.
const LABEL: usize = 18;
/// Diff lines shown before the whole of it is asked for.
const BRIEF: usize = 8;

impl Draw for Dialog {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
        let dialog = self;
        let plan = &dialog.plan;
        let columns = 110.min(body.width.saturating_sub(2));
        let inner = columns.saturating_sub(2);
        let lines = told(frame, look, dialog, inner);
        let keys = asked(frame, look, plan, inner);
        let height = u16::try_from(lines.len() + keys.len() + 2).unwrap_or(u16::MAX);
        let border = if plan.naming.is_some() { Role::BorderDanger } else { Role::BorderFocus };
        let area = pane::centred(body, columns, height);
        let inside = pane::overlay(look, border, &title(frame, plan), &place(frame, plan), area, buf);
        let bottom = u16::try_from(keys.len()).unwrap_or(u16::MAX).min(inside.height);
        let top = Rect { height: inside.height - bottom, ..inside };
        let start = dialog.scroll.min(lines.len().saturating_sub(top.height.into()));
        let end = lines.len().min(start + usize::from(top.height));
        pane::more(look, inside, start..end, lines.len(), buf);
        pane::lines(top, lines.into_iter().skip(start), buf);
        pane::lines(Rect { y: top.bottom(), height: bottom, ..inside }, keys, buf);
    }
}

/// What it does, and of what it is the undo.
fn title(frame: &Frame<'_>, plan: &Plan) -> String {
    let undone = plan.intent.call.undoes.and_then(|id| frame.world.runs.get(id));
    let of = undone.map(|run| format!("undo of {} · ", units::circled(run.mark))).unwrap_or_default();
    format!("{of}{}", plan.intent.title)
}

/// Context and namespace, or the address of the server: where it would be done.
fn place(frame: &Frame<'_>, plan: &Plan) -> String {
    if let Server::Alertmanager(address) = plan.intent.server() {
        let several = frame.world.session.as_ref().filter(|session| session.several());
        return format!(
            "Alertmanager{} · {address}",
            several.map(|session| format!(" of {}", session.main().context)).unwrap_or_default()
        );
    }
    let context = frame.world.session.as_ref().map_or("", |session| session.main().context.as_str());
    let context = frame.world.full_place(&plan.intent.target).unwrap_or_else(|| context.to_owned());
    let namespace = &plan.intent.target.namespace;
    if namespace.is_empty() { context } else { format!("{context} · {namespace}") }
}

fn told(frame: &Frame<'_>, look: &Look, dialog: &Dialog, columns: u16) -> Vec<Row> {
    let plan = &dialog.plan;
    let uid = Some(&plan.intent.target.uid).filter(|uid| !uid.is_empty());
    let short = uid.map(|uid| format!("uid {}", uid.chars().take(8).collect::<String>())).unwrap_or_default();
    let target = format!("{} {}", plan.intent.target.kind, plan.intent.target.name);
    let first = Row::new(columns).gap(1).text(look.style(Role::Text), &target);
    let uid = Row::new(columns).gap(2).text(look.style(Role::Dim), &short).gap(1);
    let place = place(frame, plan);
    let fits = first.used() + " in ".len() + width(&place) + uid.used() <= usize::from(columns);
    let apart = !fits || frame.world.full_place(&plan.intent.target).is_some();
    let named = || first.clone().text(look.style(Role::Dim), " in ").text(look.style(Role::Strong), &place);
    let mut lines = vec![if apart { first.clone() } else { named() }.right(uid)];
    lines.extend(
        apart.then(|| fact(look, "in", (" ", Role::Critical), &place, columns)).into_iter().flatten(),
    ); // never cut
    lines.push(Row::new(columns));
    if !plan.diff.is_empty() {
        lines.extend(changes(look, &plan.diff, dialog.full, columns));
        lines.push(Row::new(columns));
    }
    lines.extend(preflight(frame, look, plan, columns));
    lines.push(Row::new(columns));
    lines.extend(writes(look, plan, columns));
    lines
}

/// The diff; of a long one the changed lines only, until the whole is asked for.
fn changes(look: &Look, diff: &[DiffLine], full: bool, columns: u16) -> Vec<Row> {
    let brief = !full && diff.len() > BRIEF;
    let kept: Vec<&DiffLine> = diff.iter().filter(|line| !brief || line.sign != Sign::Keep).collect();
    let most = if full { kept.len() } else { BRIEF };
    let mut lines: Vec<Row> = kept.iter().take(most).map(|line| diff_line(look, line, columns)).collect();
    let hidden = diff.len().saturating_sub(lines.len());
    if hidden > 0 {
        let more = units::counted(hidden, "more line");
        lines.push(Row::new(columns).gap(3).text(look.style(Role::Dim), &format!("… {more}")));
    }
    lines
}

fn diff_line(look: &Look, line: &DiffLine, columns: u16) -> Row {
    let (sign, role) = match line.sign {
        Sign::Keep => (" ", Role::DiffContext),
        Sign::Remove => ("−", Role::DiffRemove),
        Sign::Add => ("+", Role::DiffAdd),
        Sign::Hide => ("±", Role::DiffAdd),
    };
    Row::new(columns).gap(1).text(look.style(role), sign).gap(2).text(look.style(role), &line.text)
}

fn preflight(frame: &Frame<'_>, look: &Look, plan: &Plan, columns: u16) -> Vec<Row> {
    let mut lines = Vec::new();
    for (n, right) in plan.rights.iter().enumerate() {
        let (mark, role, why) = match &right.allowed {
            Allowed::Yes => ("✓", Role::Ok, String::new()),
            Allowed::No(why) if why.is_empty() => ("✗", Role::Critical, String::new()),
            Allowed::No(why) => ("✗", Role::Critical, format!(": {why}")),
            Allowed::Unknown(why) => ("?", Role::Unknown, format!(": unknown, because {why}")),
        };
        lines.extend(fact(
            look,
            if n == 0 { "permission" } else { "" },
            (mark, role),
            &format!("{right}{why}"),
            columns,
        ));
    }
    lines.extend(match &plan.dry_run {
        DryRun::Accepted => fact(look, "server dry run", ("✓", Role::Ok), "accepted", columns),
        DryRun::Refused(why) => {
            fact(look, "server dry run", ("✗", Role::Critical), &format!("refused: {why}"), columns)
        }
        DryRun::Unknown(why) => {
            fact(look, "server dry run", ("?", Role::Unknown), &format!("unknown, because {why}"), columns)
        }
        DryRun::None(why) => fact(look, "dry run", ("–", Role::Dim), why, columns),
    });
    let mut label = "";
    for found in &plan.facts {
        let mark = match found.weight {
            Weight::Plain => (" ", Role::Text),
            Weight::Warn => ("▲", Role::Warn),
            Weight::Unknown => ("?", Role::Unknown),
        };
        lines.extend(fact(
            look,
            if label == found.label.as_str() { "" } else { &found.label },
            mark,
            &found.words,
            columns,
        ));
        label = &found.label;
    }
    lines.extend(fact(look, "touches", (" ", Role::Text), &plan.touches, columns));
    lines.extend(match &plan.intent.undo {
        Some(call) => fact(look, "undo", (" ", Role::Text), &undo(frame, look, plan, call), columns),
        // whether there is one is unknown, and told
        None if plan.facts.iter().any(|fact| fact.label == "undo") => Vec::new(),
        None => fact(look, "undo", ("✖", Role::Critical), "none: this cannot be undone", columns),
    });
    lines
}

/// What undoes the change: `u returns to rev 7`. The key never undoes an undo, so that one is answered by
/// `:rollout-undo deployment=app revision=8 returns to rev 8`.
fn undo(frame: &Frame<'_>, look: &Look, plan: &Plan, call: &StepCall) -> String {
    let inputs = call.inputs.iter().map(|(name, value)| format!(" {name}={value}"));
    let command = std::iter::once(call.step.to_string()).chain(inputs).collect::<String>();
    let does = frame.runbook.step(&call.step).and_then(|step| step.kind.as_undo(call));
    let does = does.unwrap_or_else(|| format!("runs {command}"));
    let key = look.keys(&[Context::Global], &Action::UndoLast);
    match key.filter(|_| plan.intent.call.undoes.is_none()) {
        Some(key) => format!("{key} {does}"),
        None if plan.intent.call.undoes.is_none() => format!(":undo {does}"),
        None => format!(":{command} {does}"),
    }
}

fn fact(look: &Look, label: &str, (mark, role): (&str, Role), words: &str, columns: u16) -> Vec<Row> {
    let text = wrap(words, usize::from(columns).saturating_sub(LABEL + 4));
    let lines = text.iter().enumerate().map(|(n, part)| {
        let (label, mark) = if n == 0 { (label, mark) } else { ("", " ") };
        let row = Row::new(columns)
            .gap(1)
            .cell(look.style(Role::Dim), label, LABEL)
            .text(look.style(role), mark)
            .gap(1);
        row.text(look.style(if role == Role::Critical { Role::Strong } else { Role::Text }), part)
    });
    lines.collect()
}

/// Each request by method and path, and the command that it stands for.
fn writes(look: &Look, plan: &Plan, columns: u16) -> Vec<Row> {
    let ops = &plan.intent.ops;
    let requests = ops.iter().enumerate().flat_map(|(n, op)| {
        let label = match op {
            _ if n > 0 => String::new(),
            Op::Write(_) | Op::Save(_) => units::counted(plan.intent.writes().count(), "API write"),
            Op::Exec(_) | Op::Command(_) => "runs".to_owned(),
            Op::Copy(_) => "copies".to_owned(),
            Op::Look(_) => "looks".to_owned(),
            Op::Browse(_) => "opens".to_owned(),
        };
        fact(look, &label, (" ", Role::Text), &op.to_string(), columns)
    });
    requests
        .chain(fact(look, "as a command", (" ", Role::Dim), &plan.intent.command.words(), columns))
        .collect()
}

/// The keys, or what keeps them from working, or the name to type.
fn asked(frame: &Frame<'_>, look: &Look, plan: &Plan, columns: u16) -> Vec<Row> {
    let mut lines = vec![Row::new(columns)];
    let input = frame.screen.input.as_ref().filter(|input| input.purpose == Purpose::Name);
    if let Some(naming) = &plan.naming {
        let place = frame
            .world
            .full_place(&plan.intent.target)
            .map(|place| format!(" in {place}"))
            .unwrap_or_default();
        let text = format!("▲ {}: type the name to go ahead{place}", naming.why);
        lines.extend(
            wrap(&text, usize::from(columns).saturating_sub(2))
                .iter()
                .map(|part| Row::new(columns).gap(1).text(look.style(Role::Warn), part)),
        );
    }
    let obstacle = obstacle(frame, look, plan);
    let unarmed = obstacle.as_ref().is_some_and(|(role, _)| *role == Role::Warn);
    match (&obstacle, input) {
        (Some((role, words)), _) => {
            lines.extend(
                wrap(words, usize::from(columns).saturating_sub(2))
                    .iter()
                    .map(|part| Row::new(columns).gap(1).text(look.style(*role), part)),
            );
        }
        (None, Some(input)) => {
            return lines.into_iter().chain([footer::typed(look, input, Row::new(columns).gap(1))]).collect();
        }
        (None, None) => {}
    }
    let idle = [(Action::Confirm, obstacle.is_some()), (Action::Arm, !unarmed)].map(|(action, idle)| {
        look.keymap.keys_of(&[Context::Confirm], &action).filter(|_| idle).map(<[_]>::to_vec)
    });
    let hints = look.keymap.hints(&[Context::Confirm]);
    lines.push(hints.iter().filter(|hint| !idle.contains(&Some(vec![hint.key]))).fold(
        Row::new(columns).gap(1),
        |row, hint| {
            row.append(
                Row::new(columns)
                    .text(look.style(Role::Key), &hint.key.to_string())
                    .gap(1)
                    .text(look.style(Role::Text), &hint.label)
                    .gap(3),
            )
        },
    ));
    lines
}

/// Why it cannot be confirmed as things are, and what to do about it.
fn obstacle(frame: &Frame<'_>, look: &Look, plan: &Plan) -> Option<(Role, String)> {
    if let Some(refusal) = plan.obstacle() {
        return Some((Role::Critical, format!("✗ {}", refusal.reason())));
    }
    let denied = guard::authorise(frame.world, &plan.intent, frame.now).err()?;
    if !denied.wants_arming() {
        return Some((Role::ReadOnly, format!("✗ {denied}")));
    }
    let how =
        match (look.keys(&[Context::Confirm], &Action::Arm), look.keys(&[Context::Global], &Action::Arm)) {
            (Some(here), _) => format!("press {here} to arm"),
            (None, Some(there)) => format!("leave this and press {there} to arm"),
            (None, None) => "leave this and type :arm".to_owned(),
        };
    let whom = frame
        .world
        .label(frame.world.context_of(&plan.intent.target))
        .map(|label| format!(" in {label}"))
        .unwrap_or_default();
    Some((Role::Warn, format!("▲ not armed{whom}: {how}")))
}
