//! Keymaps: which key means which [`Action`] in which [`Context`]. Pure data and lookups: the caller keeps
//! the keys pressed so far, and what reaches the journal is the action.

pub mod action;
mod context;
mod help;
mod key;
mod load;

use std::collections::BTreeMap;

use serde::Serialize;

pub use action::{Action, Danger};
pub use context::Context;
pub use help::{Group, Hint, Row, sequence};
pub use key::{Code, Key, Named};

use crate::data::{Location, Mistake, Problem};

/// One row: these keys, pressed one after another, run this action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The keys, at least one.
    pub on: Vec<Key>,
    /// What they run.
    pub run: Action,
    /// One line of help.
    pub desc: String,
    /// A word or two for the footer, on the rows that belong there.
    pub hint: Option<String>,
    /// Where the row stands.
    pub place: Location,
}

/// All bindings and menu titles of a session. Made by [`Keymap::load`] only, so its rows are without
/// conflicts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keymap {
    layers: BTreeMap<Context, Layer>,
}

/// What one context says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Layer {
    bindings: Vec<Binding>,
    titles: BTreeMap<Vec<Key>, String>,
}

/// What a key means after the keys pressed before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Run this; forget the pending keys.
    Action(Action),
    /// A text field is open and this character goes into it.
    Typed(char),
    /// Keep the key as pending and show what may follow.
    Pending(Menu),
    /// Nothing; forget the pending keys.
    None,
}

/// What may follow the keys pressed so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Menu {
    /// What the menu is about; empty when no row names it.
    pub title: String,
    /// The keys that lead on, in the keymap's order.
    pub entries: Vec<MenuItem>,
}

/// One line of a menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MenuItem {
    /// The next key.
    pub key: Key,
    /// What it does, or the title of the menu that it opens.
    pub label: String,
    /// Opens another menu.
    pub opens: bool,
}

impl Keymap {
    /// What `key` means after `pending`, in these contexts, the innermost first.
    pub fn resolve(&self, contexts: &[Context], pending: &[Key], key: Key) -> Resolution {
        if let (Some(Context::Input), [], Some(c)) = (contexts.first(), pending, key.typed()) {
            return Resolution::Typed(c);
        }
        let pressed = [pending, &[key]].concat();
        let mut matching = self.reachable(contexts).into_iter().map(|(_, binding)| binding);
        match matching.find(|binding| binding.on.starts_with(&pressed)) {
            None => Resolution::None,
            Some(binding) if binding.on == pressed => Resolution::Action(binding.run.clone()),
            Some(_) => Resolution::Pending(self.menu(contexts, &pressed)),
        }
    }

    /// What may follow `pressed`: the innermost context's rows first.
    pub fn menu(&self, contexts: &[Context], pressed: &[Key]) -> Menu {
        let mut entries: Vec<MenuItem> = Vec::new();
        for (_, binding) in self.reachable(contexts) {
            let Some([key, rest @ ..]) = binding.on.strip_prefix(pressed) else { continue };
            if entries.iter().any(|entry| entry.key == *key) {
                continue;
            }
            let key = *key;
            let opens = !rest.is_empty();
            let label =
                if opens { self.title(contexts, &[pressed, &[key]].concat()) } else { binding.desc.clone() };
            entries.push(MenuItem { key, label, opens });
        }
        Menu { title: self.title(contexts, pressed), entries }
    }

    /// The rows whose step no runbook of the session has.
    pub fn unknown_steps(&self, known: &[&str]) -> Vec<Mistake> {
        let bindings = self.layers.values().flat_map(|layer| &layer.bindings);
        let unknown = bindings.filter_map(|binding| match &binding.run {
            Action::Step(id) if !known.contains(&id.as_str()) => {
                Some(binding.place.mistake(Problem::unknown("step", id, known.iter().copied())))
            }
            _ => None,
        });
        unknown.collect()
    }

    /// The bindings that work in these contexts, innermost first. An inner one hides an outer one that begins
    /// like it, and only what always works reaches through a modal context.
    fn reachable(&self, contexts: &[Context]) -> Vec<(Context, &Binding)> {
        let mut found: Vec<(Context, &Binding)> = Vec::new();
        let mut modal = false;
        for context in contexts {
            let bindings = self.layers.get(context).into_iter().flat_map(|layer| &layer.bindings);
            let visible = bindings.filter(|binding| !modal || binding.run.always_works());
            let fresh: Vec<_> =
                visible.filter(|outer| !found.iter().any(|(_, inner)| hides(&inner.on, &outer.on))).collect();
            found.extend(fresh.into_iter().map(|binding| (*context, binding)));
            modal |= context.is_modal();
        }
        found
    }

    fn title(&self, contexts: &[Context], prefix: &[Key]) -> String {
        contexts
            .iter()
            .find_map(|context| self.layers.get(context)?.titles.get(prefix))
            .cloned()
            .unwrap_or_default()
    }
}

/// Two sequences of which one begins with the other cannot both be reached, unless they share a menu.
fn hides(inner: &[Key], outer: &[Key]) -> bool {
    inner.starts_with(outer) || outer.starts_with(inner)
}

#[cfg(test)]
mod tests;
