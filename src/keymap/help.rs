//! What a keymap tells people: the footer's hints, the help screen, the table of docs/keys.md. All from the
//! rows that resolve keys.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Action, Context, Danger, Key, Keymap, hides};

/// One entry of the footer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hint {
    /// The key to press.
    pub key: Key,
    /// A word or two.
    pub label: String,
    /// What it runs, unless it opens a menu.
    pub run: Option<Action>,
    /// Opens a menu.
    pub opens: bool,
    /// The menu is about this screen alone.
    pub aside: bool,
}

/// The keys of one context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Where these keys work.
    pub context: Context,
    /// Its rows in the keymap's order.
    pub rows: Vec<Row>,
}

/// One line of help: all keys that run one action here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The action's name.
    pub action: String,
    /// The key sequences that run it.
    pub keys: Vec<Vec<Key>>,
    /// What it does.
    pub desc: String,
}

impl Keymap {
    /// The footer: keys that work right now and menus that open, innermost context first.
    pub fn hints(&self, contexts: &[Context]) -> Vec<Hint> {
        let mut hints: Vec<Hint> = Vec::new();
        let reachable = self.reachable(contexts);
        let aside = |key: &Key| {
            let mut menu = reachable.iter().filter(|(_, binding)| binding.on.first() == Some(key));
            menu.all(|(_, binding)| binding.run.danger() == Danger::Screen)
        };
        for (_, binding) in &reachable {
            let hint = match &binding.on[..] {
                [key] => binding.hint.clone().map(|label| Hint {
                    key: *key,
                    label,
                    run: Some(binding.run.clone()),
                    opens: false,
                    aside: false,
                }),
                [key, ..] => Some(Hint {
                    key: *key,
                    label: self.title(contexts, &[*key]),
                    run: None,
                    opens: true,
                    aside: aside(key),
                }),
                [] => None,
            };
            hints.extend(hint.filter(|hint| !hints.contains(hint)));
        }
        hints
    }

    /// The help screen: every key that works right now, a group for each context that has any.
    pub fn help(&self, contexts: &[Context]) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for (context, binding) in self.reachable(contexts) {
            if groups.last().is_none_or(|group| group.context != context) {
                groups.push(Group { context, rows: Vec::new() });
            }
            let Some(group) = groups.last_mut() else { continue };
            let action = binding.run.to_string();
            match group.rows.iter_mut().find(|row| row.action == action) {
                Some(row) => row.keys.push(binding.on.clone()),
                None => group.rows.push(Row {
                    action,
                    keys: vec![binding.on.clone()],
                    desc: binding.desc.clone(),
                }),
            }
        }
        groups
    }

    /// The first keys that run `action` in these contexts, the innermost first, unless an inner context or a
    /// modal one hides them.
    pub fn keys_of(&self, contexts: &[Context], action: &Action) -> Option<&[Key]> {
        let modal = contexts.iter().position(|context| context.is_modal()).filter(|_| !action.always_works());
        let reached = modal.map_or(contexts, |at| &contexts[..=at]);
        let rows = |context: &Context| self.layers.get(context).into_iter().flat_map(|layer| &layer.bindings);
        let hidden =
            |at: usize, on: &[Key]| contexts[..at].iter().flat_map(rows).any(|inner| hides(&inner.on, on));
        let found = reached
            .iter()
            .enumerate()
            .flat_map(|(at, context)| rows(context).map(move |binding| (at, binding)));
        found
            .filter(|(_, binding)| binding.run == *action)
            .find(|(at, binding)| !hidden(*at, &binding.on))
            .map(|(_, binding)| &binding.on[..])
    }

    /// The table of keys in docs/keys.md.
    pub fn markdown(&self) -> String {
        let mut table = String::from("| Where | Keys | Action | What it does |\n|---|---|---|---|\n");
        for group in Context::ALL.iter().flat_map(|context| self.help(&[*context])) {
            for row in group.rows {
                let keys: Vec<String> = row
                    .keys
                    .iter()
                    .map(|keys| format!("<kbd>{}</kbd>", sequence(keys).replace('|', "\\|")))
                    .collect();
                let _ = writeln!(
                    table,
                    "| {} | {} | `{}` | {} |",
                    group.context,
                    keys.join(" "),
                    row.action,
                    row.desc
                );
            }
        }
        table
    }
}

/// Keys as people write them down: `m u`.
pub fn sequence(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
}
