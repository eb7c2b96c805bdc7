//! What a step says of documents: where it was imported from, and what it leads to. Whether they are still as
//! they were is for whoever reads files; what to look for stands here.

use std::collections::BTreeSet;

use super::import;
use crate::clean::Clean;
use crate::data::{Location, Reader};

/// Where a step was imported from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The document, as it was named then.
    pub file: Clean,
    /// Line that its command began in, from 1.
    pub line: u32,
    /// Hash of the command's text.
    pub blake3: String,
    /// Where the runbook says so.
    pub place: Location,
}

/// A document that a step leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its path, as seen from the runbook.
    pub file: String,
    /// Where the runbook says so.
    pub place: Location,
}

/// What became of the text that a step was imported from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// It is there, in this line.
    None(usize),
    /// It was changed into this: where it begins, and its first line.
    Changed(usize, String),
    /// The document has nothing that it could have become.
    Gone,
}

impl Source {
    /// Compares with the document as it is now; `known` are the hashes that the runbook's other steps have.
    /// What was changed is the nearest that no step was made from.
    pub fn drift(&self, document: &import::Import, known: &BTreeSet<&str>) -> Drift {
        let line = usize::try_from(self.line).unwrap_or(usize::MAX);
        let distance = |finding: &&import::Finding| finding.line.abs_diff(line);
        let same = document.findings.iter().filter(|finding| finding.blake3() == self.blake3);
        if let Some(finding) = same.min_by_key(distance) {
            return Drift::None(finding.line);
        }
        let new = document.findings.iter().filter(|finding| !known.contains(finding.blake3().as_str()));
        match new.min_by_key(distance) {
            Some(finding) => {
                Drift::Changed(finding.line, finding.text.lines().next().unwrap_or_default().to_owned())
            }
            None => Drift::Gone,
        }
    }
}

/// What a step's table says of documents.
pub(super) struct Origin {
    pub notes: Clean,
    pub links: Vec<Link>,
    pub source: Option<Source>,
}

impl Origin {
    pub fn read(table: &mut Reader<'_>) -> Self {
        let notes: Option<String> = table.get("notes");
        let links: Vec<(String, Location)> = table.get("links").unwrap_or_default();
        let place = table.place_of("source");
        let source = table.table("source", "field of a source").and_then(|mut source| {
            let file: Option<String> = source.required("file");
            let line: Option<u32> = source.required("line");
            let blake3: Option<String> = source.required("blake3");
            Some(Source { file: file?.into(), line: line?, blake3: blake3?, place })
        });
        let links = links.into_iter().map(|(file, place)| Link { file, place }).collect();
        Self { notes: notes.unwrap_or_default().into(), links, source }
    }
}
