//! Makes a [`Keymap`] from the embedded rows and the user's. All mistakes are found at once, each with its
//! place.

use std::str::FromStr;

use super::help::sequence;
use super::{Action, Binding, Context, Key, Keymap, Layer};
use crate::data::{self, Location, Mistake, Problem, Reader, stem, stems, text_fields};

const BUILT_IN: [(&str, &str); 3] = [
    ("keymaps/default.toml (built in)", include_str!("../../keymaps/default.toml")),
    ("keymaps/k9s.toml (built in)", include_str!("../../keymaps/k9s.toml")),
    ("keymaps/vim.toml (built in)", include_str!("../../keymaps/vim.toml")),
];

/// What every other keymap lies over.
const DEFAULT: (&str, &str) = BUILT_IN[0];

/// The value of `run` that takes a row away.
const UNBIND: &str = "none";

/// Without these a session could not be steered or stopped: each must have a key in its contexts.
const ESSENTIAL: &[(Action, &[Context])] = &[
    (Action::StopAll, Context::ALL),
    (Action::Quit, &[Context::Global]),
    (Action::Confirm, &[Context::Confirm]),
    (Action::Reject, &[Context::Confirm]),
    (Action::InputAccept, &[Context::Input]),
    (Action::InputCancel, &[Context::Input]),
];

/// One row as it stands in a file.
struct Row {
    context: Context,
    on: Vec<Key>,
    says: Says,
    desc: Option<String>,
    hint: Option<String>,
    place: Location,
}

enum Says {
    Run(Action),
    Unbind,
    Title(String),
}

/// The value of `run`.
enum Run {
    Action(Action),
    Unbind,
}

impl FromStr for Run {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        if text == UNBIND { Ok(Self::Unbind) } else { text.parse().map(Self::Action) }
    }
}

text_fields!(Run);

impl Keymap {
    /// The keymap `name`, asked for at `at`, over what it inherits and at last over the built-in default.
    /// `files` are the user's (name and text); one named as a built-in keymap lies over it.
    ///
    /// # Errors
    /// Every mistake of the keymap's file and of those that it inherits from; an unknown name at `at`.
    pub fn named(name: &str, at: &Location, files: &[(&str, &str)]) -> Result<Self, Vec<Mistake>> {
        let (line, lost) = lineage(name, at, files);
        let Some(lost) = lost else { return Self::load(&line) };
        let read = |(name, text): &(&str, &str)| data::read_partly(name, text, "context", rows).1;
        let mut mistakes: Vec<Mistake> = line.iter().flat_map(read).chain([lost]).collect();
        mistakes.sort();
        Err(mistakes)
    }

    /// The names of all keymaps: built-in ones, then the user's own.
    pub fn names<'a>(files: &[(&'a str, &'a str)]) -> Vec<&'a str> {
        stems(&BUILT_IN, files)
    }

    /// The built-in keymap with the rows of these files (name and text) laid over it, one after another.
    ///
    /// # Errors
    /// Every mistake of every file, and every conflict that laying them over each other makes.
    pub fn load(files: &[(&str, &str)]) -> Result<Self, Vec<Mistake>> {
        let mut keymap = Self::default();
        let mut mistakes = Vec::new();
        for (name, text) in [DEFAULT].iter().chain(files) {
            let (rows, found) = data::read_partly(name, text, "context", rows);
            mistakes.extend(found);
            mistakes.extend(rows.into_iter().flat_map(|rows| keymap.lay_over(rows)));
        }
        mistakes.extend(keymap.conflicts());
        if mistakes.is_empty() {
            let last = files.last().map_or(DEFAULT.0, |(name, _)| name);
            mistakes.extend(keymap.lost_actions(&Location::start_of(last)));
        }
        mistakes.sort();
        if mistakes.is_empty() { Ok(keymap) } else { Err(mistakes) }
    }

    /// Lays the rows of one file over what is there; rows that take away go first, so that a file can free a
    /// key and use it.
    fn lay_over(&mut self, rows: Vec<Row>) -> Vec<Mistake> {
        let mut mistakes = duplicates(&rows);
        let (unbinding, binding): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| matches!(row.says, Says::Unbind));
        for row in unbinding {
            if !self.layers.entry(row.context).or_default().unbind(&row.on) {
                let fault = Problem::new(format!(
                    "nothing to take away: {} has no {}",
                    row.context,
                    sequence(&row.on)
                ));
                mistakes.push(row.place.mistake(fault));
            }
        }
        for row in binding {
            self.layers.entry(row.context).or_default().bind(row);
        }
        mistakes
    }

    /// Bindings that can never be reached, because what they begin with is bound too.
    fn conflicts(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (context, layer) in &self.layers {
            for short in &layer.bindings {
                let mut longer = layer
                    .bindings
                    .iter()
                    .filter(|long| long.on.len() > short.on.len() && long.on.starts_with(&short.on));
                mistakes.extend(longer.next().map(|long| unreachable(*context, short, long)));
            }
        }
        mistakes
    }

    fn lost_actions(&self, place: &Location) -> Vec<Mistake> {
        let has_key = |action: &Action, context: Context| {
            self.reachable(&[context, Context::Global]).iter().any(|(_, binding)| binding.run == *action)
        };
        let needed = ESSENTIAL
            .iter()
            .flat_map(|(action, contexts)| contexts.iter().map(move |context| (action, *context)));
        let lost = needed.filter(|(action, context)| !has_key(action, *context));
        lost.map(|(action, context)| {
            place.mistake(Problem::new(format!("{action} has no key left in {context}")))
        })
        .collect()
    }
}

/// The file of that name and all that it inherits from, the heir last, without the default that they all lie
/// over; and what is wrong where that line breaks off.
fn lineage<'a>(
    name: &str,
    at: &Location,
    files: &[(&'a str, &'a str)],
) -> (Vec<(&'a str, &'a str)>, Option<Mistake>) {
    let mut found = Vec::new();
    let mut next = Some((name.to_owned(), at.clone()));
    let mut lost = None;
    while let Some((name, at)) = next.take() {
        let unseen = |file: &&(&'a str, &'a str)| stem(file.0) == name && !found.contains(*file);
        let Some(file) = files.iter().chain(&BUILT_IN).find(unseen).copied() else {
            let names = Keymap::names(files);
            let circle = names
                .contains(&name.as_str())
                .then(|| Problem::new(format!("keymap {name:?} inherits from itself")));
            lost = Some(at.mistake(circle.unwrap_or_else(|| Problem::unknown("keymap", &name, names))));
            break;
        };
        if file == DEFAULT {
            break;
        }
        found.push(file);
        let (inherits, _) =
            data::read_partly(file.0, file.1, "context", |root| root.get::<(String, Location)>("inherits"));
        let covers = BUILT_IN.iter().any(|built_in| stem(built_in.0) == name && !found.contains(built_in));
        next = inherits.flatten().or(covers.then_some((name, at)));
    }
    found.reverse();
    (found, lost)
}

impl Layer {
    /// Whether there was anything at these keys or below them.
    fn unbind(&mut self, on: &[Key]) -> bool {
        let before = self.bindings.len() + self.titles.len();
        self.bindings.retain(|binding| !binding.on.starts_with(on));
        self.titles.retain(|keys, _| !keys.starts_with(on));
        self.bindings.len() + self.titles.len() < before
    }

    fn bind(&mut self, row: Row) {
        let (run, on) = match row.says {
            Says::Run(action) => (action, row.on),
            Says::Title(title) => return drop(self.titles.insert(row.on, title)),
            Says::Unbind => return,
        };
        let desc = row.desc.unwrap_or_else(|| run.spec().doc.to_owned());
        let binding = Binding { on, run, desc, hint: row.hint, place: row.place };
        match self.bindings.iter_mut().find(|old| old.on == binding.on) {
            Some(old) => *old = binding,
            None => self.bindings.push(binding),
        }
    }
}

fn rows(root: &mut Reader<'_>) -> Vec<Row> {
    let _read_before: Option<String> = root.get("inherits"); // by lineage
    let mut rows = Vec::new();
    for context in Context::ALL {
        let tables = root.tables(context.name(), "field");
        rows.extend(tables.into_iter().filter_map(|mut table| row(*context, &mut table)));
    }
    rows
}

fn row(context: Context, table: &mut Reader<'_>) -> Option<Row> {
    let on = table.required::<Vec<Key>>("on");
    let run = table.get::<Run>("run");
    let title = table.get("title");
    let desc = table.get("desc");
    let hint = table.get("hint");
    let place = table.place();
    let says = match (run, title, table.has("run") == table.has("title")) {
        (_, _, true) => return fault(table, "a row has either \"run\" or \"title\""),
        (Some(Run::Action(action)), ..) => Says::Run(action),
        (Some(Run::Unbind), ..) => Says::Unbind,
        (None, title, _) => Says::Title(title?),
    };
    let on = on?;
    match (&on[..], &says) {
        ([], _) => fault(table, "\"on\" needs at least one key"),
        ([first, ..], _) if context == Context::Input && first.typed().is_some() => {
            fault(table, format!("{first} types in a text field and cannot be bound there"))
        }
        (_, Says::Run(action)) if !action.fits(context) => {
            fault(table, format!("{action} does nothing in {context}"))
        }
        _ => Some(Row { context, on, says, desc, hint, place }),
    }
}

fn fault(table: &Reader<'_>, message: impl Into<String>) -> Option<Row> {
    table.fault(Problem::new(message));
    None
}

/// Rows of one file that say the same keys of the same context twice.
fn duplicates(rows: &[Row]) -> Vec<Mistake> {
    let same = |a: &Row, b: &Row| {
        a.context == b.context
            && a.on == b.on
            && matches!(a.says, Says::Unbind) == matches!(b.says, Says::Unbind)
    };
    let mut mistakes = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if let Some(first) = rows[..index].iter().find(|first| same(first, row)) {
            let message = format!(
                "{} has a row for {} already, in line {}",
                row.context,
                sequence(&row.on),
                first.place.line
            );
            mistakes.push(row.place.mistake(Problem::new(message)));
        }
    }
    mistakes
}

/// Reported at the row that was added last: the file that made the conflict can mend it.
fn unreachable(context: Context, short: &Binding, long: &Binding) -> Mistake {
    let short_keys = sequence(&short.on);
    let long_keys = sequence(&long.on);
    if short.place.file != long.place.file && long.place.file.as_ref() == DEFAULT.0 {
        let message = format!(
            "{short_keys} hides {long_keys} ({}) in {context}; take the menu away first: on = [{short_keys:?}], run = {UNBIND:?}",
            long.run
        );
        return short.place.mistake(Problem::new(message));
    }
    let message = format!(
        "{long_keys} can never be reached in {context}: {short_keys} runs {} ({})",
        short.run, short.place
    );
    long.place.mistake(Problem::new(message))
}
