//! The tree holds what it promises: sizes, directions of dependence, docs, the key table.

#![allow(clippy::unwrap_used, reason = "a test that cannot read the tree has failed")]

#[path = "support/imports.rs"]
mod imports;

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

/// The part of a file before its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap()
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str().to_string_lossy().contains("tests"))
}

#[test]
fn files_have_at_most_500_lines_and_a_module_doc() {
    for (path, text) in sources("src") {
        assert!(
            text.lines().count() <= 500,
            "{} has {} lines: which two rooms is it?",
            path.display(),
            text.lines().count()
        );
        assert!(is_test(&path) || text.starts_with("//!"), "{} does not say what it is", path.display());
    }
}

#[test]
fn functions_have_at_most_60_lines() {
    for (path, text) in sources("src").into_iter().filter(|(path, _)| !is_test(path)) {
        let mut begun: Option<(usize, usize, &str)> = None;
        for (number, line) in code(&text).lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let head = line.trim_start();
            let opens = [
                "fn ",
                "pub fn ",
                "pub(super) fn ",
                "pub(crate) fn ",
                "async fn ",
                "pub async fn ",
                "pub(super) async fn ",
            ]
            .iter()
            .any(|start| head.starts_with(start));
            if opens && !line.trim_end().ends_with(';') {
                begun = Some((number, indent, line));
            }
            if let Some((from, depth, name)) = begun
                && indent == depth
                && head.starts_with('}')
            {
                assert!(number - from <= 60, "{}:{} is too long: {}", path.display(), from + 1, name.trim());
                begun = None;
            }
        }
    }
}

/// `module` does not name any of `others`.
fn keeps_away(module: &str, others: &[&str]) {
    let file = format!("{module}.rs");
    let of = |path: &Path| {
        let inner = path
            .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
            .unwrap()
            .to_string_lossy()
            .into_owned();
        inner == file || inner.starts_with(&format!("{module}/"))
    };
    let own: Vec<_> = sources("src").into_iter().filter(|(path, _)| of(path) && !is_test(path)).collect();
    assert!(!own.is_empty(), "{module} is not where it was");
    for (path, text) in own {
        for other in others {
            let lines = code(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in lines {
                assert!(!line.contains(other), "{} must not know {other}: {}", path.display(), line.trim());
            }
        }
    }
}

#[test]
fn state_reduce_and_view_are_pure() {
    let outside = [
        "std::fs",
        "std::net",
        "std::time::Instant",
        "tokio",
        "crate::net",
        "kube::",
        "reqwest",
        "crossterm::",
        "crate::source",
        "Utc::now",
        "SystemTime",
        "rand",
    ];
    for pure in ["state", "reduce", "view", "event", "runbook"] {
        keeps_away(pure, &outside);
    }
    keeps_away("view", &["crate::effect", "&mut State"]);
    for part in ["state/world", "state/detect", "state/select"] {
        keeps_away(part, &["crate::effect", "crate::reduce", "crate::view"]);
    }
    keeps_away("state", &["crate::reduce", "crate::view"]);
    keeps_away("net", &["crate::source", "crate::effect", "crate::state", "crate::journal"]);
}

#[test]
fn a_replay_has_no_executor() {
    keeps_away("runtime/replay", &["Executor", "crate::session", "crate::net::connect", "kube"]);
    keeps_away("runtime/player", &["Executor", "crate::session", "crate::net::connect", "kube"]);
}

#[test]
fn no_dependency_too_many() {
    let lock = include_str!("../Cargo.lock");
    let packages = lock.matches("[[package]]").count();
    // Where more is worth it, the figure goes up by just that: last by pulldown-cmark, which reads the
    // Markdown of runbooks that are imported.
    assert!(packages <= 454, "{packages} packages in Cargo.lock: which one is worth it?");
}

#[test]
fn the_docs_list_the_keys_as_they_are() {
    let page = include_str!("../docs/keys.md");
    let table = warroom::keymap::Keymap::load(&[]).unwrap().markdown();
    assert!(page.contains(table.trim()), "docs/keys.md: replace the key table with\n{table}");
}

#[test]
fn the_readme_says_how_to_begin() {
    let readme = include_str!("../README.md");
    assert!(readme.contains("cargo run --release -- demo") && readme.contains("cargo test"));
}

/// A file imports none that leads back to it, but for a module and what is below it.
#[test]
fn imports_go_in_no_circle() {
    let circles =
        imports::circles(&sources("src"), Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path());
    assert!(circles.is_empty(), "{circles:#?}");
}

/// What rustfmt does not break: a line that holds a text, and what stands inside a macro.
fn cannot_be_broken(line: &str) -> bool {
    line.contains('"') || line.contains("serve_connection") || line.contains("u{")
}

#[test]
fn lines_have_at_most_110_columns() {
    for (path, text) in sources("src").into_iter().filter(|(path, _)| !is_test(path)) {
        let long = code(&text).lines().enumerate().filter(|(_, line)| line.chars().count() > 110);
        for (number, line) in long.filter(|(_, line)| !cannot_be_broken(line)) {
            assert!(line.contains("//! |"), "{}:{} is too wide: {line}", path.display(), number + 1);
        }
    }
}
