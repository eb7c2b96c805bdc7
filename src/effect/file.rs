//! Local files of manifests, as somebody names them: regular files of YAML or JSON, bounded in size.

use std::fs::File;
use std::io::{self, Read};

use serde_json::{Value, json};
use serde_saphyr::Spanned;

use crate::clean::Clean;

/// Bytes that a file has at most.
const MOST: u64 = 1 << 20;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// It is a folder, a pipe, a device.
    #[error("{0} is no regular file")]
    NotRegular(Clean),
    /// There is more than is read.
    #[error("{0} is larger than 1 MiB")]
    TooLarge(Clean),
    /// It is not there, or not to be read.
    #[error("{path} cannot be read: {why}")]
    Failed {
        /// The file.
        path: Clean,
        /// Why, as the system says it.
        why: io::Error,
    },
    /// What it holds is neither YAML nor JSON.
    #[error("{path}{place}: {why}")]
    Syntax {
        /// The file.
        path: Clean,
        /// `:LINE:COLUMN`, where that is known.
        place: String,
        /// What is wrong there.
        why: Clean,
    },
}

/// Reads the documents of a file, empty ones aside: each as `{"line", "document"}`, in their order.
pub(super) async fn documents(path: &str) -> Result<Value, Unreadable> {
    let path = path.to_owned();
    let name = Clean::new(&path);
    let read = tokio::task::spawn_blocking(move || parsed(&path, &text(&path)?));
    read.await.unwrap_or_else(|error| Err(Unreadable::Failed { path: name, why: io::Error::other(error) }))
}

fn text(path: &str) -> Result<String, Unreadable> {
    let failed = |why| Unreadable::Failed { path: path.into(), why };
    // Asked for first: opening a pipe would wait for somebody who writes to it.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Unreadable::NotRegular(path.into()));
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(MOST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST {
        return Err(Unreadable::TooLarge(path.into()));
    }
    String::from_utf8(bytes).map_err(|_| {
        let why = "it is no UTF-8 text".into();
        Unreadable::Syntax { path: path.into(), place: String::new(), why }
    })
}

/// Read as kubectl reads them: `0644` is octal, `yes` is true. Aliases are bounded by the parser.
fn parsed(path: &str, text: &str) -> Result<Value, Unreadable> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true, with_snippet: false };
    let all: Vec<Spanned<Value>> =
        serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
            let place = error.location().map(|at| format!(":{}:{}", at.line(), at.column()));
            let why = error.to_string();
            let why = why.lines().next().unwrap_or_default().into();
            Unreadable::Syntax { path: path.into(), place: place.unwrap_or_default(), why }
        })?;
    let one = |one: &Spanned<Value>| json!({"line": one.referenced.line(), "document": one.value});
    Ok(all.iter().filter(|one| !one.value.is_null()).map(one).collect())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn told(text: &str) -> Result<Value, String> {
        parsed("m.yaml", text).map_err(|why| why.to_string())
    }

    #[test]
    fn documents_come_in_order_with_their_lines_and_as_kubectl_reads_them() {
        let all = told("---\nkind: A\nmode: 0644\non: yes\n---\n---\n{\"kind\": \"B\"}\n").unwrap();
        assert_eq!(all[0], json!({"line": 2, "document": {"kind": "A", "mode": 420, "on": true}}));
        assert_eq!(all[1], json!({"line": 7, "document": {"kind": "B"}}));
        assert_eq!(all.as_array().unwrap().len(), 2);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let why = told("kind: A\nname: [1\n").unwrap_err();
        assert!(why.starts_with("m.yaml:"), "{why}");
        assert!(told("a: 1\na: 2\n").unwrap_err().starts_with("m.yaml:2:"), "a key that stands there twice");
    }

    #[test]
    fn aliases_that_grow_without_bound_are_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = vec![format!("*a{}", level - 1); 9].join(", ");
            writeln!(bomb, "a{level}: &a{level} [{before}]").unwrap();
        }
        assert!(told(&bomb).is_err());
    }

    #[tokio::test]
    async fn only_a_regular_file_of_a_bounded_size_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let why = async |name: &str| documents(&path(name)).await.unwrap_err().to_string();
        assert!(why("none.yaml").await.contains("cannot be read: No such file"));
        assert!(why("").await.ends_with("is no regular file"));
        std::fs::write(path("large.yaml"), vec![b'#'; 1 + (1 << 20)]).unwrap();
        assert!(why("large.yaml").await.ends_with("is larger than 1 MiB"));
        std::fs::write(path("bytes.yaml"), [0xff, 0xfe, 0xff]).unwrap();
        assert!(why("bytes.yaml").await.ends_with("it is no UTF-8 text"));
    }
}
