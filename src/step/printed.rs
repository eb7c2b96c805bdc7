//! What kubectl prints: tables as the API server itself makes them (`meta.k8s.io/v1` `Table`), so that a
//! column says here what it says there. Read in pages, as kubectl does.

use serde_json::Value;

use super::{Answer, Read, ReadAs, pages, text};
use crate::clean::Clean;
use crate::event::Refusal;
use crate::units;

/// Returns the next page of a table to read, given those so far: none when it is whole. `path` may have a
/// query; `what` is what is read, in sentences.
pub(super) fn next(path: &str, what: &str, answers: &[Answer]) -> Vec<Read> {
    pages::next(path, what, ReadAs::Table, answers)
}

/// The rows of all pages.
pub(super) struct Printed<'a> {
    columns: Vec<&'a str>,
    rows: Vec<&'a Value>,
}

impl<'a> Printed<'a> {
    /// Puts the pages together.
    ///
    /// # Errors
    /// One is no table, or there are none.
    pub(super) fn of(what: &str, answers: &'a [Answer]) -> Result<Self, Refusal> {
        let pages = pages::whole(what, ("Table", "table"), answers)?;
        let columns = array(pages[0], "columnDefinitions").map(|column| text(column, "/name")).collect();
        let rows = pages.iter().flat_map(|page| array(page, "rows")).collect();
        Ok(Self { columns, rows })
    }

    /// Iterates over the rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = Printout<'_>> {
        self.rows.iter().map(|row| Printout { columns: &self.columns, row })
    }
}

/// Names that are told of what is wrong.
const NAMED: usize = 5;

/// Says what is wrong: `2 of 31 pods are in trouble: a, b`; `None` where nothing is.
pub(super) fn wrong(found: usize, (all, noun): (usize, &str), what: &str, names: &[String]) -> Option<Clean> {
    let is = if found == 1 { "is" } else { "are" };
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let all = units::counted(all, noun);
    (found > 0).then(|| format!("{found} of {all} {is} {what}: {names}{more}").into())
}

fn array<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

/// One row of a table.
#[derive(Clone, Copy)]
pub(super) struct Printout<'a> {
    columns: &'a [&'a str],
    row: &'a Value,
}

impl Printout<'_> {
    /// Returns the cell of the column of that name (`Status`); empty where the server has no such column.
    pub(super) fn cell(&self, column: &str) -> String {
        let at = self.columns.iter().position(|name| name.eq_ignore_ascii_case(column));
        match at.map(|at| &self.row["cells"][at]) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        }
    }

    /// Returns the object's namespace; empty for what has none.
    pub(super) fn namespace(&self) -> &str {
        text(self.row, "/object/metadata/namespace")
    }

    /// Returns the object's name.
    pub(super) fn name(&self) -> &str {
        text(self.row, "/object/metadata/name")
    }

    /// Returns the value of a label of the object; empty where it has no such label.
    pub(super) fn label(&self, key: &str) -> &str {
        self.row["object"]["metadata"]["labels"][key].as_str().unwrap_or_default()
    }

    /// Returns the cells of these columns, after the namespace.
    pub(super) fn cells(&self, columns: &[&str]) -> Vec<Clean> {
        columns.iter().map(|column| Clean::from(self.cell(column))).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(goes_on: &str) -> Answer {
        let columns = json!([{"name": "Name"}, {"name": "Restarts"}]);
        let row = json!({"cells": ["a", 3], "object": {"metadata": {"namespace": "ns"}}});
        let metadata = json!({"continue": goes_on});
        Answer::Found(
            json!({"kind": "Table", "metadata": metadata, "columnDefinitions": columns, "rows": [row]}),
        )
    }

    #[test]
    fn pages_are_read_until_the_server_has_no_more() {
        let path = |answers: &[Answer]| next("/api/v1/pods", "pods", answers).pop().map(|read| read.path);
        assert_eq!(path(&[]).unwrap(), "/api/v1/pods?limit=500");
        assert_eq!(path(&[page("a+b")]).unwrap(), "/api/v1/pods?limit=500&continue=a%2Bb");
        assert_eq!(path(&[page("x"), page("")]), None);
    }

    #[test]
    fn cells_are_found_by_the_servers_own_names_of_columns() {
        let pages = [page("x"), page("")];
        let printed = Printed::of("pods", &pages).ok().unwrap();
        let rows: Vec<_> =
            printed.rows().map(|row| (row.namespace().to_owned(), row.cell("RESTARTS"))).collect();
        assert_eq!(rows, [("ns".to_owned(), "3".to_owned()), ("ns".to_owned(), "3".to_owned())]);
        assert_eq!(printed.rows().next().unwrap().cell("Status"), "");
    }

    #[test]
    fn what_is_no_table_is_not_read_as_an_empty_one() {
        let why = |answers: &[Answer]| Printed::of("the pods", answers).err().unwrap().reason().to_string();
        let list = Answer::Found(json!({"kind": "PodList", "items": []}));
        assert_eq!(why(&[list]), "the pods cannot be read: the answer is PodList and no table");
        assert_eq!(why(&[]), "the pods cannot be read: the answer is nothing and no table");
    }
}
