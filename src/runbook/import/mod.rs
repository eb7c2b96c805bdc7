//! A Markdown runbook, or k9s's `plugins.yaml` → steps. A converter: nothing is read but the text that is
//! given, and no line of a shell becomes something that would be run; what has no step of its own is left to
//! a person, with its text.
//!
//! | file | what is in it |
//! |---|---|
//! | `document`, `k9s` | what a document holds: blocks of code, tables, links; plugins |
//! | `lex`, `shell`, `pipeline`, `args` | what a block of a shell says: words, commands, pipelines, flags |
//! | `verb`, `kubectl`, `curl`, `program` | which step a command means |
//! | `judge` | how much a program can break, and whether a person is wanted |
//! | `reads`, `request`, `flags`, `harm` | what is known to read, by commands and flags; what is not |
//! | `convert`, `draft`, `write` | the document → steps with ids → TOML |

mod args;
mod convert;
mod curl;
mod document;
mod draft;
mod flags;
mod harm;
mod judge;
mod k9s;
mod kubectl;
mod lex;
mod pipeline;
mod program;
mod reads;
mod request;
mod shell;
mod verb;
mod write;

use std::path::Path;

/// What an import has made.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The runbook.
    pub toml: String,
    /// What became of each part of the document, in its order.
    pub findings: Vec<Finding>,
}

/// A part of a document, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Line that it begins in, from 1.
    pub line: usize,
    /// Its text.
    pub text: String,
    /// What became of it.
    pub became: Became,
}

/// What becomes of a part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// A command: steps, each by its id and kind.
    Steps(Vec<(String, &'static str)>),
    /// A command that a person does: the step's id, and why.
    ByHand(String, String),
    /// No command: kept with its text as a step of that id; what it is.
    Kept(String, &'static str),
    /// A command without an effect of its own, and what it does.
    Nothing(String),
}

impl Finding {
    /// Returns the hash of its text, as steps keep it.
    pub fn blake3(&self) -> String {
        hash(&self.text)
    }
}

/// The hash of a text, whatever blanks end its lines or indent it.
fn hash(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    blake3::hash(lines.join("\n").trim().as_bytes()).to_hex().to_string()
}

/// A step as it is written.
struct NewStep {
    id: String,
    section: String,
    draft: draft::Draft,
    line: usize,
    blake3: String,
}

/// A document that nothing can be read from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no YAML, or no list of plugins.
    #[error("{0} is not k9s's plugins.yaml: {1}")]
    Plugins(String, String),
}

/// Makes a runbook of a document; `file` is its name in reports and sources. A name that ends in `.yaml` is
/// that of k9s's plugins.
///
/// # Errors
/// The document is none.
pub fn import(file: &str, text: &str) -> Result<Import, Unreadable> {
    let mut made = convert::Steps::default();
    let extension = Path::new(file).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let name = if ["yaml", "yml"].contains(&extension) {
        k9s::plugins(file, text, &mut made)?;
        "Plugins of k9s".to_owned()
    } else {
        convert::document(text, &mut made);
        title(text).unwrap_or_else(|| "Imported runbook".to_owned())
    };
    let convert::Steps { steps, mut findings, .. } = made;
    findings.sort_by_key(|finding| finding.line);
    Ok(Import { toml: write::toml(&name, file, &steps), findings })
}

/// The title of a document.
fn title(text: &str) -> Option<String> {
    let heading = text.lines().find_map(|line| line.strip_prefix("# "))?;
    Some(document::phrase(heading)).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests;
