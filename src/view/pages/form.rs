//! A step's inputs: what was given, what is asked for, and what the cluster knows that it can be.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::event::Purpose;
use crate::state::{Form, Frame};
use crate::theme::Role;
use crate::view::pages::Draw;
use crate::view::primitives::pane;
use crate::view::primitives::text::{Row, width, wrap};
use crate::view::{Look, Spot, footer};

/// Choices shown at once.
const CHOICES: usize = 12;

impl Draw for Form {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
        let form = self;
        let columns = 96.min(body.width.saturating_sub(2));
        let top = fields(frame, look, form, columns.saturating_sub(2));
        let typed = frame.screen.input.as_ref().filter(|input| input.purpose == Purpose::Input);
        let choices = form.choices(frame.world, frame.now, typed.map_or("", |input| &input.text));
        let choices = if form.waiting || typed.is_none() { Vec::new() } else { choices };
        let listed = choices.len().min(CHOICES);
        let height = u16::try_from(top.len() + listed + 2).unwrap_or(u16::MAX);
        let place = place(frame, form)
            .map_or_else(|| form.step.to_string(), |place| format!("{} · {place}", form.step));
        let inside = pane::overlay(
            look,
            Role::BorderFocus,
            &form.title,
            &place,
            pane::centred(body, columns, height),
            buf,
        );
        let taken = u16::try_from(top.len()).unwrap_or(u16::MAX).min(inside.height);
        pane::lines(inside, top, buf);
        let list = Rect { y: inside.y + taken, height: inside.height - taken, ..inside };
        let candidate = typed.and_then(|input| input.candidate);
        let seen =
            pane::window(choices.len(), candidate, list.height.min(u16::try_from(listed).unwrap_or(0)));
        let rows = choices[seen.clone()]
            .iter()
            .map(|choice| Row::new(list.width).gap(3).text(look.style(Role::Text), &choice.label));
        pane::lines(list, rows, buf);
        look.hits.rows(list, seen.clone().map(Spot::Choice));
        pane::select(look, list, candidate.map(|at| at.saturating_sub(seen.start)), buf);
        pane::more(look, inside, seen, choices.len(), buf);
    }
}

/// The context and the cluster that it is for, where several are looked at.
fn place(frame: &Frame<'_>, form: &Form) -> Option<String> {
    let session = frame.world.session.as_ref().filter(|session| session.several())?;
    session.context(form.chosen_context(frame.world)).map(|one| format!("{} ({})", one.context, one.cluster))
}

fn fields(frame: &Frame<'_>, look: &Look, form: &Form, columns: u16) -> Vec<Row> {
    let widest = form.fields.iter().map(|field| width(&field.name)).max().unwrap_or(0) + 2;
    let mut lines = vec![Row::new(columns)];
    for (n, field) in form.fields.iter().enumerate() {
        let current = n == form.at && !form.waiting;
        let (mark, role) = if current { ("▸", Role::Accent) } else { (" ", Role::Dim) };
        let row = Row::new(columns).gap(1).text(look.style(role), mark).gap(1).cell(
            look.style(role),
            &field.name,
            widest,
        );
        let input = frame.screen.input.as_ref().filter(|input| current && input.purpose == Purpose::Input);
        lines.push(match input {
            Some(input) => footer::text_with_cursor(look, input, row),
            None if field.value.is_empty() => {
                row.text(look.style(Role::Dim), if field.required { "needed" } else { "–" })
            }
            None => row.text(look.style(Role::Text), field.value.shown()),
        });
    }
    let told = |role, words: &str| {
        let lines = wrap(words, usize::from(columns).saturating_sub(2));
        lines
            .into_iter()
            .map(|line| Row::new(columns).gap(1).text(look.style(role), &line))
            .collect::<Vec<_>>()
    };
    lines.push(Row::new(columns));
    let typed = frame.screen.input.as_ref().map(|input| input.text.as_str());
    lines.extend(form.quieted(frame.world, typed).iter().flat_map(|words| told(Role::Accent, words)));
    lines.extend(form.problem.iter().flat_map(|problem| told(Role::Critical, &format!("✗ {problem}"))));
    lines.extend(
        form.waiting
            .then(|| told(Role::Accent, "asking the cluster what this would change …"))
            .into_iter()
            .flatten(),
    );
    lines
}
