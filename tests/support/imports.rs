//! Which file imports which, read from their `use` declarations and paths; re-exports lead to where a thing
//! is defined.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A module's path, `["state", "world"]`, or a path to something in it.
type Segments = Vec<String>;

/// What is known of the tree.
struct Tree {
    /// Each module with its code, comments and tests left out.
    modules: BTreeMap<Segments, String>,
    /// What a module hands on under a name, and from where.
    exports: BTreeMap<(Segments, String), Segments>,
}

/// The circles among the files of a crate, each as its modules: of imports that go neither up nor down the
/// tree.
pub fn circles(files: &[(PathBuf, String)], root: &Path) -> Vec<Vec<String>> {
    let tree = Tree::read(files, root);
    let edges: BTreeMap<&Segments, BTreeSet<Segments>> =
        tree.modules.keys().map(|module| (module, tree.imports(module))).collect();
    let reach: BTreeMap<&Segments, BTreeSet<&Segments>> =
        edges.keys().map(|module| (*module, reached(module, &edges))).collect();
    let mut circles = BTreeSet::new();
    for (module, reached) in &reach {
        if reached.contains(module) {
            let back = |other: &&&Segments| reach[**other].contains(module);
            circles.insert(reached.iter().filter(back).map(|module| module.join("::")).collect::<Vec<_>>());
        }
    }
    circles.into_iter().collect()
}

fn reached<'a>(
    from: &Segments,
    edges: &'a BTreeMap<&Segments, BTreeSet<Segments>>,
) -> BTreeSet<&'a Segments> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Segments> = edges[from].iter().collect();
    while let Some(module) = open.pop() {
        if found.insert(module) {
            open.extend(edges.get(module).into_iter().flatten());
        }
    }
    found
}

impl Tree {
    fn read(files: &[(PathBuf, String)], root: &Path) -> Self {
        let named = files
            .iter()
            .filter_map(|(path, text)| Some((module(path.strip_prefix(root).ok()?)?, code(text))));
        let mut tree = Self { modules: named.collect(), exports: BTreeMap::new() };
        let mut exports = BTreeMap::new();
        for (module, text) in &tree.modules {
            for path in uses(text).flat_map(|(body, _)| leaves(&body)) {
                if let Some(at) = tree.absolute(module, &path)
                    && let Some(name) = at.last()
                {
                    exports.insert((module.clone(), name.clone()), at.clone());
                }
            }
        }
        tree.exports = exports;
        tree
    }

    /// The modules that a module imports from, without those above and below it.
    fn imports(&self, module: &Segments) -> BTreeSet<Segments> {
        let text = &self.modules[module];
        let own = uses(text).filter(|(_, public)| !public).flat_map(|(body, _)| leaves(&body));
        let paths = own.chain(inline(text)).filter_map(|path| self.absolute(module, &path));
        let found = paths.filter_map(|path| self.home(&path, 0));
        found.filter(|other| !other.starts_with(module) && !module.starts_with(other)).collect()
    }

    /// A path from the crate's root; `None` for another crate's.
    fn absolute(&self, module: &Segments, path: &[String]) -> Option<Segments> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                Some([&module[..module.len().checked_sub(ups)?], &path[ups..]].concat())
            }
            _ => {
                let below = [module.as_slice(), std::slice::from_ref(first)].concat();
                self.modules.contains_key(&below).then(|| [module, path].concat())
            }
        }
    }

    /// The module in which the thing at a path is defined.
    fn home(&self, path: &[String], depth: usize) -> Option<Segments> {
        let known = (0..=path.len()).rev().find(|length| self.modules.contains_key(&path[..*length]))?;
        let module = path[..known].to_vec();
        let handed_on = path.get(known).and_then(|name| self.exports.get(&(module.clone(), name.clone())));
        match handed_on.filter(|_| depth < 8) {
            Some(from) => self.home(&[from.as_slice(), &path[known + 1..]].concat(), depth + 1),
            None => Some(module),
        }
    }
}

/// `state/world/mod.rs` is `["state", "world"]`; tests and the binary are nobody's.
fn module(path: &Path) -> Option<Segments> {
    let text = path.to_string_lossy();
    let stem = text.strip_suffix(".rs")?;
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    let test = stem.split('/').any(|part| part == "tests");
    match stem {
        "main" => None,
        "lib" => Some(Vec::new()),
        _ => (!test).then(|| stem.split('/').map(str::to_owned).collect()),
    }
}

/// A file without its tests and comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// What is declared with `use`, and whether it is handed on.
fn uses(text: &str) -> impl Iterator<Item = (String, bool)> + '_ {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find("use ")?;
            let line = rest[..at].rsplit('\n').next().unwrap_or_default().trim();
            let after = &rest[at + 4..];
            let end = after.find(';')?;
            rest = &after[end..];
            if line.is_empty() || line == "pub" || (line.starts_with("pub(") && line.ends_with(')')) {
                return Some((
                    after[..end].split_whitespace().collect::<Vec<_>>().join(" "),
                    !line.is_empty(),
                ));
            }
        }
    })
}

/// `a::{b, c::d}` is `a::b` and `a::c::d`.
fn leaves(body: &str) -> Vec<Segments> {
    let Some((head, inner)) = body.split_once('{') else {
        let path = body.split(" as ").next().unwrap_or_default();
        return vec![
            path.split("::")
                .map(|part| part.trim().to_owned())
                .filter(|part| part != "self" || body.starts_with("self"))
                .collect(),
        ];
    };
    let head: Segments =
        head.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
    let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
    let mut depth = 0;
    let parts = inner.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    parts.flat_map(leaves).map(|leaf| [head.as_slice(), &leaf].concat()).collect()
}

/// Paths that stand in the code itself: `crate::a::b`, `super::c`.
fn inline(text: &str) -> Vec<Segments> {
    let plain: String =
        text.lines().filter(|line| !line.trim_start().starts_with("pub(in ")).collect::<Vec<_>>().join("\n");
    let starts = ["crate::", "super::"]
        .into_iter()
        .flat_map(|start| plain.match_indices(start).map(|(at, _)| at).collect::<Vec<_>>());
    let whole = |at: &usize| !plain[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    let path = |at| -> Option<Segments> {
        let path: String =
            plain[at..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect();
        // What goes on with a brace is a `use`, which is read by itself.
        let whole = !path.ends_with("::");
        whole.then(|| path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect())
    };
    starts.filter(whole).filter_map(path).collect()
}
