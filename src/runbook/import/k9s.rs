//! k9s's `plugins.yaml` → steps: argument vectors become external commands, lines of a shell are left to a
//! person. The format is that of k9s's own JSON schema (`internal/config/json/schemas/plugins.json`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::convert::{Place, Steps};
use super::draft::{Draft, Input, Variables, input_name};
use super::lex::{Piece, Token, Word, tokens};
use super::program::program;
use super::{Became, Unreadable};
use crate::event::Danger;
use crate::step::input::InputKind;

#[derive(Deserialize)]
struct File {
    plugins: BTreeMap<String, Plugin>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plugin {
    #[serde(default)]
    short_cut: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    scopes: Vec<String>,
    command: String,
    #[serde(default)]
    args: Vec<Value>,
    #[serde(default)]
    background: bool,
    #[serde(default)]
    confirm: bool,
    #[serde(default)]
    dangerous: bool,
    #[serde(default)]
    inputs: Vec<PluginInput>,
}

#[derive(Deserialize)]
struct PluginInput {
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    default: Value,
    #[serde(default)]
    options: Vec<String>,
}

/// Makes steps of the plugins.
///
/// # Errors
/// The text is no list of plugins.
pub(super) fn plugins(file: &str, text: &str, steps: &mut Steps) -> Result<(), Unreadable> {
    let read: File = serde_saphyr::from_str(text).map_err(|error| {
        let why = error.to_string();
        Unreadable::Plugins(file.to_owned(), why.lines().next().unwrap_or_default().to_owned())
    })?;
    let mut all: Vec<(usize, &String, &Plugin)> =
        read.plugins.iter().map(|(name, plugin)| (line_of(text, name), name, plugin)).collect();
    all.sort_by_key(|(line, ..)| *line);
    for (line, name, plugin) in all {
        let words = plugin.words();
        let text = format!("{name}: {}", line_of_words(&words));
        let place = Place { section: plugin.scopes.join(", "), line, text: &text };
        let title = if plugin.description.is_empty() { name } else { &plugin.description };
        match plugin.draft(&words) {
            Ok(mut made) => {
                made.title.clone_from(title);
                let id = steps.add(&place, made);
                steps.found(&place, Became::Steps(vec![(id, "command")]));
            }
            Err(why) => {
                let id = steps.add(&place, Draft::by_hand(&line_of_words(&words), title));
                steps.found(&place, Became::ByHand(id, why));
            }
        }
    }
    Ok(())
}

impl Plugin {
    /// The argument vector as it stands in the file.
    fn words(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        [self.command.clone()].into_iter().chain(self.args.iter().map(text)).collect()
    }

    fn draft(&self, words: &[String]) -> Result<Draft, String> {
        let words: Vec<Word> = words.iter().map(|word| variables(word)).collect();
        let mut made = program(&[], &words, &Variables::new())?;
        for input in &mut made.inputs {
            self.refine(input);
        }
        if self.dangerous {
            made.danger = Danger::Destructive;
        } else if self.confirm {
            made.danger = made.danger.max(Danger::Change);
        }
        let key = (!self.short_cut.is_empty()).then(|| format!("its key in k9s is {}", self.short_cut));
        made.notes.extend(key);
        made.notes.extend(
            self.background.then(|| "k9s runs it in the background; a step is waited for".to_owned()),
        );
        for input in self.inputs.iter().filter(|input| !input.options.is_empty()) {
            made.notes.push(format!("{} is one of {}", input_name(&input.name), input.options.join(", ")));
        }
        Ok(made)
    }

    /// What k9s knows of a variable: `$NAME` is what the plugin's scope lists, others are its own inputs.
    fn refine(&self, input: &mut Input) {
        let own = |given: &&PluginInput| {
            let name = input_name(&given.name);
            [name.clone(), format!("input-{name}"), format!("inputs-{name}")].contains(&input.name)
        };
        if let Some(given) = self.inputs.iter().find(own) {
            input.kind = Some(if given.kind == "number" { InputKind::Count } else { InputKind::Text });
            input.default = match &given.default {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
        } else if input.name == "name" {
            input.kind = Some(self.scope());
        }
    }

    /// What the lists hold in which the plugin has its key.
    fn scope(&self) -> InputKind {
        let kind = |scope: &str| match scope {
            "po" | "pod" | "pods" => Some(InputKind::Pod),
            "deploy" | "deployment" | "deployments" | "dp" => Some(InputKind::Deployment),
            "no" | "node" | "nodes" => Some(InputKind::Node),
            "svc" | "service" | "services" => Some(InputKind::Service),
            "ns" | "namespace" | "namespaces" => Some(InputKind::Namespace),
            _ => None,
        };
        match self.scopes.as_slice() {
            [one] => kind(one).unwrap_or(InputKind::Text),
            _ => InputKind::Text,
        }
    }
}

/// A word with k9s's variables, `$NAME` and `$COL-…`, as holes.
fn variables(word: &str) -> Word {
    let quoted = format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""));
    match tokens(&quoted).as_deref() {
        Ok([Token::Word(word)]) => column(word.clone()),
        _ => Word(vec![Piece::Expands(word.to_owned())]),
    }
}

/// `$COL-NODE NAME` is one variable: what a column of the list shows.
fn column(word: Word) -> Word {
    let mut pieces: Vec<Piece> = Vec::new();
    for piece in word.0 {
        match (pieces.last_mut(), piece) {
            (Some(Piece::Hole(name)), Piece::Text(text)) if name == "COL" && text.starts_with('-') => {
                let end = text[1..]
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .map_or(text.len(), |at| at + 1);
                name.push_str(&text[..end]);
                pieces.extend((end < text.len()).then(|| Piece::Text(text[end..].to_owned())));
            }
            (_, piece) => pieces.push(piece),
        }
    }
    Word(pieces)
}

fn line_of_words(words: &[String]) -> String {
    let word = |word: &String| {
        if word.contains(char::is_whitespace) || word.is_empty() { format!("'{word}'") } else { word.clone() }
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The line of a plugin's name, from 1.
fn line_of(text: &str, name: &str) -> usize {
    let named = |line: &str| {
        let line = line.trim();
        let key = line.split_once(':').map_or("", |(key, _)| key).trim_matches(['"', '\'']);
        line.ends_with(':') && key == name
    };
    text.lines().position(named).map_or(1, |at| at + 1)
}
