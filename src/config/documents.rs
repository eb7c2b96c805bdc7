//! The documents that steps were imported from, or lead to: whether they are there, and as they were.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::data::{Location, Mistake, Problem};
use crate::runbook::import::{Import, import};
use crate::runbook::{BUILT_IN, Drift, Runbook, Source};

/// Bytes that a document has at most.
const MOST: u64 = 4 << 20;

/// What a check has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What must be mended.
    pub mistakes: Vec<Mistake>,
    /// What is to be known, and keeps nothing from working.
    pub warnings: Vec<Mistake>,
}

/// Looks at the documents of a runbook's steps. A text that was changed is a mistake, for its step does what
/// was written before; a document that is not there is to be known.
pub(super) fn check(runbook: &Runbook) -> Checked {
    let known = runbook.steps.iter().filter_map(|step| Some(step.source.as_ref()?.blake3.as_str())).collect();
    let mut documents = Documents { known, found: Checked::default(), read: BTreeMap::new() };
    for step in &runbook.steps {
        if let Some(source) = step.source.as_ref().filter(|source| !is_built_in(&source.place)) {
            documents.compare(&step.id, source);
        }
        for link in step.links.iter().filter(|link| !is_built_in(&link.place)) {
            documents.link(&link.file, &link.place);
        }
    }
    documents.found
}

fn is_built_in(place: &Location) -> bool {
    BUILT_IN.iter().any(|(file, _)| *file == &*place.file)
}

struct Documents<'a> {
    /// Hashes of all texts that steps were imported from.
    known: BTreeSet<&'a str>,
    found: Checked,
    /// Those that were read, by the runbook and the name that it has for them; `None`: there is none.
    read: BTreeMap<(String, String), Option<(PathBuf, Import)>>,
}

impl Documents<'_> {
    /// Compares a step's text with that of its document.
    fn compare(&mut self, step: &str, source: &Source) {
        let key = (source.place.file.to_string(), source.file.to_string());
        let new = !self.read.contains_key(&key);
        let document = self.read.entry(key).or_insert_with(|| read(&source.file, &source.place));
        let Some((path, document)) = document else {
            // Every step of a document says the same: once is enough.
            self.found.warnings.extend(new.then(|| missing(&source.file, &source.place)));
            return;
        };
        let path = path.display();
        let line = source.line;
        let moved_on = match source.drift(document, &self.known) {
            Drift::None(_) => return,
            Drift::Changed(now, text) => format!("{path}:{now} says {text}"),
            Drift::Gone => format!("it is not in {path}"),
        };
        let why = format!("the document has moved on since {step} was imported from line {line}: {moved_on}");
        self.found.mistakes.push(source.place.mistake(Problem::new(why)));
    }

    fn link(&mut self, file: &str, place: &Location) {
        let path = beside(place).join(file.trim_start_matches("./"));
        if !path.exists() {
            let why = format!("there is no {file}; looked for {}", path.display());
            self.found.warnings.push(place.mistake(Problem::new(why)));
        }
    }
}

fn beside(place: &Location) -> PathBuf {
    Path::new(&*place.file).parent().unwrap_or(Path::new("")).to_owned()
}

/// Where a document may be: beside the runbook, by its name or its path, then by its path alone.
fn places(file: &str, place: &Location) -> Vec<PathBuf> {
    let beside = beside(place);
    let file = file.trim_start_matches("./");
    let named = Path::new(file).file_name().map(|name| beside.join(name));
    let mut places: Vec<PathBuf> =
        named.into_iter().chain([beside.join(file), PathBuf::from(file)]).collect();
    places.dedup();
    places
}

fn read(file: &str, place: &Location) -> Option<(PathBuf, Import)> {
    let found = places(file, place).into_iter().find_map(|path| Some((text(&path)?, path)));
    let (text, path) = found?;
    Some((path, import(file, &text).ok()?))
}

/// The text of a document. A runbook that somebody else wrote may name a device, whose reading never ends.
fn text(path: &Path) -> Option<String> {
    // Asked for first: opening a pipe would wait for somebody who writes to it.
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MOST + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > MOST { None } else { String::from_utf8(bytes).ok() }
}

fn missing(file: &str, place: &Location) -> Mistake {
    let looked: Vec<String> = places(file, place).iter().map(|path| path.display().to_string()).collect();
    place.mistake(Problem::new(format!(
        "the document {file} cannot be read; looked for {}",
        looked.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_of_a_bounded_size_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("runbook.md"), "# A").unwrap();
        assert_eq!(text(&path("runbook.md")).as_deref(), Some("# A"));
        fs::write(path("large.md"), vec![b'#'; 1 + (4 << 20)]).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(path("pipe.md")).status().unwrap().success());
        for other in [path("large.md"), path("pipe.md"), path(""), path("none.md"), "/dev/zero".into()] {
            assert_eq!(text(&other), None, "{}", other.display());
        }
    }
}
