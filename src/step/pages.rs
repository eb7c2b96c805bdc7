//! Lists that are read in pages, as kubectl does, and how much of them is told.

use serde_json::Value;

use super::input::Inputs;
use super::target::Resource;
use super::{Answer, Read, ReadAs, Whom, text};
use crate::clean::Clean;
use crate::event::{Refusal, Table};
use crate::units;

/// Items that one page has at most: kubectl's `--chunk-size`.
const PAGE: usize = 500;

/// Pages that are read at most where a list has no bound: 20,000 items.
pub(super) const MOST_PAGES: usize = 40;

/// Rows that are told at most.
const MOST_ROWS: usize = 500;

/// Returns the next page of a list to read, given those so far: none when the list is whole. `path` may have
/// a query; `what` is what is read, in sentences.
pub(super) fn next(path: &str, what: &str, wanted: ReadAs, answers: &[Answer]) -> Vec<Read> {
    let token = match answers.last() {
        None => "",
        Some(Answer::Found(page)) => text(page, "/metadata/continue"),
        Some(Answer::Missing | Answer::Unknown(_) | Answer::Forbidden(_)) => return Vec::new(),
    };
    if token.is_empty() && !answers.is_empty() {
        return Vec::new();
    }
    let goes_on = if token.is_empty() {
        String::new()
    } else {
        format!("&continue={}", crate::net::query::escaped(token))
    };
    let joint = if path.contains('?') { '&' } else { '?' };
    vec![Read {
        whom: Whom::Cluster,
        path: format!("{path}{joint}limit={PAGE}{goes_on}"),
        what: what.to_owned(),
        is: None,
        required: true,
        wanted,
    }]
}

/// Returns the items of all pages of a list of that kind: `EventList`.
///
/// # Errors
/// A page is of another kind, or there are none.
pub(super) fn items<'a>(what: &str, kind: &str, answers: &'a [Answer]) -> Result<Vec<&'a Value>, Refusal> {
    let pages = whole(what, (kind, kind), answers)?;
    Ok(pages.into_iter().flat_map(|page| page["items"].as_array().into_iter().flatten()).collect())
}

/// Returns the pages themselves; `word` is what sentences call their kind.
///
/// # Errors
/// A page is of another kind, or there are none.
pub(super) fn whole<'a>(
    what: &str,
    (kind, word): (&str, &str),
    answers: &'a [Answer],
) -> Result<Vec<&'a Value>, Refusal> {
    let pages: Vec<&Value> = answers.iter().filter_map(Answer::found).collect();
    let other = pages.iter().find(|page| text(page, "/kind") != kind);
    if pages.len() < answers.len() || pages.is_empty() || other.is_some() {
        let found = other.map_or("nothing", |page| text(page, "/kind"));
        return Err(Refusal::failed(format!("{what} cannot be read: the answer is {found} and no {word}")));
    }
    Ok(pages)
}

/// One of several lists that are read one after another.
pub(super) struct List {
    /// Path of its pages.
    pub(super) path: String,
    /// What is read, in sentences.
    pub(super) what: String,
    /// Kind of its pages: `ServiceList`.
    pub(super) kind: String,
    /// Whether nothing can be told without it.
    pub(super) required: bool,
}

impl List {
    /// Creates the list of a resource in a namespace, or in all.
    pub(super) fn of(resource: &Resource, namespace: Option<&str>, required: bool) -> Self {
        let place = match namespace.filter(|_| resource.namespaced) {
            Some(name) => format!(" of {name}"),
            None if resource.namespaced => " of all namespaces".to_owned(),
            None => String::new(),
        };
        Self {
            path: namespace.map_or_else(
                || Resource { namespaced: false, ..*resource }.list(""),
                |name| resource.list(name),
            ),
            what: format!("the {}{place}", resource.plural),
            kind: format!("{}List", resource.kind),
            required,
        }
    }
}

/// What was read of a list.
pub(super) struct Listed<'a> {
    /// Its items; none where the cluster does not have such a thing.
    pub(super) items: Vec<&'a Value>,
    /// Why it is not all of the list.
    pub(super) cut: Option<Clean>,
}

/// Returns the next page of the first list that is not whole yet: none when all are.
pub(super) fn next_of(lists: &[List], answers: &[Answer]) -> Vec<Read> {
    let mut rest = answers;
    for list in lists {
        let (own, others) = rest.split_at(pages_of(rest));
        if own.len() < MOST_PAGES && own.last().is_none_or(goes_on) {
            let next = next(&list.path, &list.what, ReadAs::Objects, own);
            return next.into_iter().map(|read| Read { required: list.required, ..read }).collect();
        }
        rest = others;
    }
    Vec::new()
}

/// Returns what was read of each list.
///
/// # Errors
/// A page is of another kind.
pub(super) fn listed<'a>(lists: &[List], answers: &'a [Answer]) -> Result<Vec<Listed<'a>>, Refusal> {
    let mut rest = answers;
    let mut all = Vec::new();
    for list in lists {
        let (own, others) = rest.split_at(pages_of(rest));
        rest = others;
        let pages = &own[..own.iter().take_while(|answer| answer.found().is_some()).count()];
        let items = if pages.is_empty() { Vec::new() } else { items(&list.what, &list.kind, pages)? };
        let cut = match own.last() {
            Some(Answer::Unknown(why) | Answer::Forbidden(why)) => {
                Some(format!("{} cannot be read: {why}", list.what).into())
            }
            _ => unread(list.what.trim_start_matches("the "), own),
        };
        all.push(Listed { items, cut });
    }
    Ok(all)
}

/// How many of the answers are pages of the first list.
fn pages_of(answers: &[Answer]) -> usize {
    let read = answers.len().min(MOST_PAGES);
    answers[..read].iter().position(|answer| !goes_on(answer)).map_or(read, |last| last + 1)
}

fn goes_on(answer: &Answer) -> bool {
    answer.found().is_some_and(|page| !text(page, "/metadata/continue").is_empty())
}

/// Joins reasons why an answer is not whole.
pub(super) fn joined(reasons: impl IntoIterator<Item = Clean>) -> Option<Clean> {
    let all: Vec<Clean> = reasons.into_iter().collect();
    (!all.is_empty()).then(|| all.join("; ").into())
}

/// Says that a list goes on behind the pages that were read; `None` where it is whole.
pub(super) fn unread(what: &str, answers: &[Answer]) -> Option<Clean> {
    let last = answers.last().and_then(Answer::found)?;
    let goes_on = !text(last, "/metadata/continue").is_empty();
    goes_on.then(|| format!("there are more {what}: {} pages were read", answers.len()).into())
}

/// Returns the number that an input gives, from 1 to `most`; `usual` where it gives none.
///
/// # Errors
/// It is no such number.
pub(super) fn count(inputs: &Inputs, name: &str, usual: usize, most: usize) -> Result<usize, Refusal> {
    let Some(given) = inputs.get(name) else { return Ok(usual) };
    let count = given.parse().ok().filter(|count| (1..=most).contains(count));
    count
        .ok_or_else(|| Refusal::usage(format!("{name} is \"{given}\": give a whole number from 1 to {most}")))
}

/// Characters of one line of text that are told at most.
const MOST_COLUMNS: usize = 1_000;

/// Makes lines of text safe to show, as many as are told; a last line says how many there are besides.
pub(super) fn told<'a>(lines: impl ExactSizeIterator<Item = &'a str>) -> Vec<Clean> {
    let more = lines.len().saturating_sub(MOST_ROWS);
    let cut = |line: &str| match line.char_indices().nth(MOST_COLUMNS) {
        Some((end, _)) => Clean::from(format!("{}…", &line[..end])),
        None => Clean::new(line),
    };
    let more = (more > 0).then(|| format!("… {}", units::counted(more, "more line")).into());
    lines.take(MOST_ROWS).map(cut).chain(more).collect()
}

/// Shortens a table to as many rows as are told, and says so.
pub(super) fn shorten(table: &mut Table) -> Option<Clean> {
    let all = table.rows.len();
    table.rows.truncate(MOST_ROWS);
    (all > MOST_ROWS).then(|| format!("{MOST_ROWS} of {all} rows are shown").into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(kind: &str, goes_on: &str) -> Answer {
        Answer::Found(json!({"kind": kind, "metadata": {"continue": goes_on}, "items": [{"n": goes_on}]}))
    }

    #[test]
    fn a_path_with_a_query_goes_on_with_it() {
        let path = |path: &str, answers: &[Answer]| {
            next(path, "events", ReadAs::Objects, answers).pop().map(|read| read.path)
        };
        assert_eq!(path("/e", &[]).unwrap(), "/e?limit=500");
        assert_eq!(path("/e?a=b", &[page("L", "x=")]).unwrap(), "/e?a=b&limit=500&continue=x%3D");
        assert_eq!(path("/e", &[page("L", "")]), None);
        assert_eq!(path("/e", &[Answer::Missing]), None);
    }

    #[test]
    fn items_of_all_pages_are_one_list_and_another_kind_is_none() {
        let pages = [page("EventList", "x"), page("EventList", "")];
        assert_eq!(items("the events", "EventList", &pages).unwrap().len(), 2);
        let why = |answers: &[Answer]| items("it", "EventList", answers).unwrap_err().reason().to_string();
        assert_eq!(why(&[page("Status", "")]), "it cannot be read: the answer is Status and no EventList");
        assert_eq!(why(&[]), "it cannot be read: the answer is nothing and no EventList");
    }

    #[test]
    fn several_lists_are_read_one_after_another() {
        let list = |kind: &str, required| List {
            path: format!("/{kind}"),
            what: format!("the {kind}"),
            kind: kind.to_owned(),
            required,
        };
        let lists = [list("A", true), list("B", false), list("C", true)];
        let path = |answers: &[Answer]| next_of(&lists, answers).pop().map(|read| (read.path, read.required));
        let at = |path: &str, required| Some((path.to_owned(), required));
        assert_eq!(path(&[]), at("/A?limit=500", true));
        assert_eq!(path(&[page("A", "x")]), at("/A?limit=500&continue=x", true));
        assert_eq!(path(&[page("A", "x"), page("A", "")]), at("/B?limit=500", false));
        let all = [page("A", "x"), page("A", ""), Answer::Missing, page("C", "")];
        assert_eq!((path(&all[..3]), path(&all)), (at("/C?limit=500", true), None));
        let counts: Vec<usize> = listed(&lists, &all).unwrap().iter().map(|one| one.items.len()).collect();
        assert_eq!(counts, [2, 0, 1]);
        let unknown = [page("A", ""), Answer::Unknown("no answer".into()), page("C", "")];
        let cut = listed(&lists, &unknown).unwrap().into_iter().find_map(|one| one.cut);
        assert_eq!(cut, Some(Clean::new("the B cannot be read: no answer")));
        assert!(listed(&lists, &[page("B", "")]).is_err(), "another kind");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let lines = vec!["x"; 502];
        let cut = told(lines.into_iter());
        assert_eq!((cut.len(), cut[500].as_str()), (501, "… 2 more lines"));
        let wide = "é".repeat(1_001);
        assert_eq!(told([wide.as_str()].into_iter())[0].chars().count(), 1_001);
        assert!(told([wide.as_str()].into_iter())[0].ends_with('…'));
    }

    #[test]
    fn a_long_table_is_shortened_and_says_so() {
        let mut table = Table::new(&["N"]);
        table.rows = vec![vec![Clean::new("1")]; 500];
        assert_eq!(shorten(&mut table), None);
        table.rows.push(Vec::new());
        assert_eq!(shorten(&mut table), Some(Clean::new("500 of 501 rows are shown")));
        assert_eq!(table.rows.len(), 500);
    }
}
