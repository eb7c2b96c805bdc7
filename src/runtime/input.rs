//! From keys and the mouse to events: what a key means here and now, what a second click does. Keys end
//! here; the journal gets the action.

use crossterm::event::{Event as Terminal, MouseButton, MouseEvent, MouseEventKind};

use crate::data::Lazy;
use crate::event::{Edit, Event, Operator, Purpose, View};
use crate::keymap::{Action, Context, Key, Keymap, Resolution};
use crate::reduce::{committed, completes};
use crate::state::{Focus, Page, Picker, Picks, State};
use crate::view::{Hits, Spot};

/// The keymaps to choose from, in the order of their names on the screen: at least one.
pub struct Keys(pub Vec<Lazy<Keymap>>);

impl Keys {
    /// The keymap that was chosen.
    pub fn map(&self, state: &State) -> &Keymap {
        &self.0[state.screen.keymaps.at % self.0.len()]
    }

    /// The keymap that was in use before another is looked at in the picker; the chosen one while there is
    /// none.
    pub fn before(&self, state: &State) -> &Keymap {
        let picking = state.screen.pages.iter().find_map(|page| match page {
            Page::Picker(Picker { picks: Picks::Keymap, before }) => Some(*before),
            _ => None,
        });
        picking.map_or_else(|| self.map(state), |before| &self.0[before % self.0.len()])
    }

    /// The event that a terminal event means in this state; `hits` says what the last frame has drawn where.
    pub fn read(&self, state: &State, hits: &Hits, input: &Terminal) -> Option<Event> {
        match input {
            Terminal::Mouse(mouse) => self.mouse(state, hits, *mouse),
            Terminal::Key(key) => self.press(state, Key::pressed(*key)?),
            Terminal::Paste(text) if state.screen.input.is_some() => Some(edited(Edit::Insert(text.clone()))),
            Terminal::Resize(columns, rows) => {
                Some(Event::View(View::Resized { columns: *columns, rows: *rows }))
            }
            _ => None,
        }
    }

    fn press(&self, state: &State, key: Key) -> Option<Event> {
        let pending = &state.screen.pending;
        match self.map(state).resolve(&state.screen.contexts(), pending, key) {
            Resolution::Typed(c) => Some(edited(Edit::Insert(c.to_string()))),
            Resolution::Action(action) => Some(acted(state, action)),
            Resolution::Pending(_) => Some(Event::View(View::Pending([pending.as_slice(), &[key]].concat()))),
            Resolution::None => (!pending.is_empty()).then(|| Event::View(View::Pending(Vec::new()))),
        }
    }

    /// A click chooses what it is on; a second one on the selected row opens it. The wheel moves what is
    /// under it.
    fn mouse(&self, state: &State, hits: &Hits, mouse: MouseEvent) -> Option<Event> {
        let spot = hits.at(mouse.column, mouse.row)?;
        let down = mouse.kind == MouseEventKind::ScrollDown;
        let pointed = |focus: Focus, row| Event::View(View::Pointed { pane: focus.context(), row });
        match (mouse.kind, spot) {
            (MouseEventKind::ScrollDown | MouseEventKind::ScrollUp, spot) => {
                let pane = match spot {
                    Spot::Pane(focus) | Spot::Row(focus, _) => Some(focus.context()),
                    _ => None,
                };
                Some(Event::View(View::Wheeled { pane, down }))
            }
            (MouseEventKind::Down(MouseButton::Left), Spot::Key(key)) => self.press(state, key),
            (MouseEventKind::Down(MouseButton::Left), Spot::Choice(at)) => {
                Some(Event::View(View::Picked(at)))
            }
            (MouseEventKind::Down(MouseButton::Left), Spot::Pane(focus)) => Some(pointed(focus, None)),
            (MouseEventKind::Down(MouseButton::Left), Spot::Row(focus, id)) => {
                let list = state.screen.lists.get(&focus).filter(|_| state.screen.focus == focus);
                let again = list.is_some_and(|list| list.selected.as_ref() == Some(&id));
                Some(if again {
                    Event::Operator(Operator::Did(Action::Open))
                } else {
                    pointed(focus, Some(id))
                })
            }
            _ => None,
        }
    }
}

fn edited(edit: Edit) -> Event {
    Event::View(View::Edited(edit))
}

/// Editing stays on this screen; a committed line goes on as what it is.
fn acted(state: &State, action: Action) -> Event {
    let of_form = state.screen.input.as_ref().is_some_and(|input| input.purpose == Purpose::Input);
    match action {
        Action::NextField if of_form => acted(state, Action::InputAccept),
        Action::InputComplete if of_form && !completes(state) => acted(state, Action::InputAccept),
        Action::InputCancel => Event::Operator(Operator::Did(Action::Cancel)),
        Action::InputAccept => committed(state).unwrap_or(Event::View(View::Tick)),
        action
            if action.spec().contexts.contains(&Context::Input)
                && state.screen.input.is_some()
                && !action.always_works() =>
        {
            edited(Edit::Act(action))
        }
        action => Event::Operator(Operator::Did(action)),
    }
}
