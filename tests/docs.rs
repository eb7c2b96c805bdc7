//! README.md and docs/ say what the program does: their commands run, their settings are read, their JSON has
//! the fields that are printed, their links lead somewhere. How a page is written so that this can be checked
//! is told in docs/contributing.md.

#![allow(clippy::unwrap_used, reason = "a page that cannot be read has failed")]

mod pty;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use pty::{Cluster, Home, Ran, kubeconfig};
use regex::Regex;
use serde_json::{Value, json};
use warroom::config::{self, Kafka, Paths, Settings};
use warroom::event::{Grant, SourceId};
use warroom::keymap::Keymap;
use warroom::sim::NAMESPACE;
use warroom::theme::ColorDepth;

/// Tools that a page may name beside warroom; they are not run.
const OTHERS: [&str; 5] = ["cargo", "git", "jq", "kubectl", "zstd"];

/// A fenced block, and where it stands.
struct Block {
    at: String,
    tag: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = docs.chain([root().join("README.md")]).collect();
    pages.sort();
    pages
}

fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(tag), None) => {
                let at = format!("{}:{number}", page.strip_prefix(root()).unwrap().display());
                open = Some(Block { at, tag: tag.to_owned(), text: String::new() });
            }
            (None, Some(block)) => block.text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{}: a block is not closed", page.display());
    blocks
}

#[test]
fn commands_run_and_settings_are_read() {
    let pages = pages();
    thread::scope(|scope| pages.iter().for_each(|page| drop(scope.spawn(|| follow(page)))));
}

/// Does what a page says, block after block, on a simulated cluster of its own.
fn follow(page: &Path) {
    let cluster = cluster();
    let mut printed = String::new();
    for block in blocks(page) {
        match block.tag.as_str() {
            "sh" => printed = run_all(&block, &cluster.home),
            "json" => {
                let read = |text: &str| {
                    serde_json::from_str(text).unwrap_or_else(|error| panic!("{}: {error}: {text}", block.at))
                };
                alike(&read(&block.text), &read(printed.lines().next().unwrap_or_default()), &block.at);
            }
            "toml" => check(&block),
            "text" => {}
            other => panic!("{}: a block is sh, json, toml or text, not {other:?}", block.at),
        }
    }
}

/// A cluster without an incident that a kubeconfig knows by two names.
fn cluster() -> Cluster {
    let cluster = Cluster::calm();
    let mut file = kubeconfig(&cluster.sim.kubernetes_url(), NAMESPACE);
    let context = file["contexts"][0]["context"].clone();
    file["contexts"] =
        ["prod-eu", "prod-us"].map(|name| json!({"name": name, "context": context})).to_vec().into();
    file["current-context"] = "prod-eu".into();
    cluster.home.write("kubeconfig", &file.to_string());
    cluster
}

/// Runs the lines of a block; answers what the last one printed.
fn run_all(block: &Block, home: &Home) -> String {
    let mut printed = String::new();
    for line in block.text.lines() {
        printed = run(home, line, &block.at).map_or(printed, |ran| ran.out);
    }
    printed
}

/// Runs a line if it is one of warroom's. It succeeds, or only misses a terminal.
fn run(home: &Home, line: &str, at: &str) -> Option<Ran> {
    let words = shlex::split(line).unwrap_or_else(|| panic!("{at}: {line}"));
    let words = words
        .iter()
        .map(String::as_str)
        .skip_while(|word| word.contains('='))
        .take_while(|word| !["|", ">"].contains(word));
    let words: Vec<&str> = words.collect();
    let args = match words[..] {
        [] => return None,
        ["warroom", ref args @ ..] => args,
        ["cargo", "run", ..] => &words[words.iter().position(|word| *word == "--").unwrap() + 1..],
        [other, ..] => {
            assert!(OTHERS.contains(&other), "{at}: what is {other}?");
            return None;
        }
    };
    let path = recording(home, args);
    let args: Vec<&str> =
        args.iter().map(|word| if *word == "PATH" { path.as_str() } else { word }).collect();
    let ran = Ran::of(home.command(&args).current_dir(home.path("")).output().unwrap());
    assert!(ran.code == 0 || ran.err.contains("terminal"), "{at}: {line}\n{ran:?}");
    Some(ran)
}

/// What `PATH` stands for: the newest recording; one is made if there is none.
fn recording(home: &Home, args: &[&str]) -> String {
    if !args.contains(&"PATH") {
        return String::new();
    }
    if home.recordings().is_empty() {
        let scale = ["run", "scale", "--set", "deployment=worker-service", "--set", "replicas=2", "--yes"];
        assert_eq!(home.run(&scale).code, 0);
    }
    home.recordings()[0]["path"].as_str().unwrap().to_owned()
}

/// Both have the same fields, as far as both have something; of a list the first is compared.
fn alike(told: &Value, printed: &Value, at: &str) {
    match (told, printed) {
        (Value::Object(told), Value::Object(printed)) if !told.is_empty() && !printed.is_empty() => {
            let [told_keys, printed_keys] = [told, printed].map(|object| object.keys().collect::<Vec<_>>());
            assert_eq!(told_keys, printed_keys, "{at}: left what the page says, right what is printed");
            told.iter().for_each(|(key, value)| alike(value, &printed[key], &format!("{at}: {key}")));
        }
        (Value::Array(told), Value::Array(printed)) => {
            told.iter().zip(printed).take(1).for_each(|(told, printed)| alike(told, printed, at));
        }
        _ => {}
    }
}

/// The block is the file that its first line names, without mistakes.
fn check(block: &Block) {
    let name = block.text.strip_prefix("# ").and_then(|text| text.split_whitespace().next());
    let name = name.unwrap_or_else(|| panic!("{}: the first line names no file", block.at));
    let home = Home::new();
    home.write("config/runbooks/ours.toml", ""); // what a setting may name
    home.write(&format!("config/{name}"), &block.text);
    let ran = home.run(&["check"]);
    assert_eq!(ran.code, 0, "{}: {}", block.at, ran.out);
}

#[test]
fn what_settings_say_are_the_defaults_are_the_defaults() {
    let read = |text: &str| {
        let home = Home::new();
        home.write("config/config.toml", text);
        let paths = Paths { config_dir: home.path("config"), data_dir: home.path("data") };
        config::load(&paths, ColorDepth::TrueColor).unwrap().settings
    };
    let blocks = blocks(&root().join("docs/settings.md"));
    let defaults = blocks.iter().find(|block| block.text.starts_with("# config.toml (defaults)")).unwrap();
    assert_eq!(read(&defaults.text), Settings { kafka: Some(Kafka::default()), ..read("") });
}

#[test]
fn every_setting_is_told() {
    let asked =
        Regex::new(r#"\b(?:get|required|within|table|path|name)(?:::<[^(]+>)?\(\s*"([a-z_]+)""#).unwrap();
    let told = fs::read_to_string(root().join("docs/settings.md")).unwrap();
    for file in ["mod", "endpoint", "kafka", "rates"] {
        let text = fs::read_to_string(root().join(format!("src/config/{file}.rs"))).unwrap();
        for found in asked.captures_iter(text.split("#[cfg(test)]").next().unwrap()) {
            let word = Regex::new(&format!(r"\b{}\b", &found[1])).unwrap();
            assert!(
                word.is_match(&told),
                "docs/settings.md does not tell of {}, which src/config/{file}.rs reads",
                &found[1]
            );
        }
    }
}

#[test]
fn links_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    for page in pages() {
        for target in link.captures_iter(&fs::read_to_string(&page).unwrap()).map(|found| found[1].to_owned())
        {
            if target.starts_with("https://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(file.exists(), "{}: there is no {target}", page.display());
            assert!(
                anchor.is_empty() || anchors(&file).iter().any(|known| known == anchor),
                "{}: there is no {target}",
                page.display()
            );
        }
    }
}

/// The headings of a page as GitHub links to them.
fn anchors(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let headings = text
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let kept = |c: &char| c.is_alphanumeric() || ['-', '_', ' '].contains(c);
    headings.map(|heading| heading.chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn the_keys_of_the_readme_are_the_keymaps() {
    let table = Keymap::load(&[]).unwrap().markdown();
    for found in Regex::new("<kbd>.+?</kbd>")
        .unwrap()
        .find_iter(&fs::read_to_string(root().join("README.md")).unwrap())
    {
        assert!(table.contains(found.as_str()), "README.md: nothing is bound to {}", found.as_str());
    }
}

#[test]
fn every_subcommand_has_a_manual_page() {
    let home = Home::new();
    let folder = home.path("man1");
    let page = |args: &[&str]| home.run(&[&["man"], args].concat());
    let below = folder.join("below");
    assert_eq!(home.run(&["man", "--dir", folder.to_str().unwrap()]).code, 0);
    for (args, file) in [
        (&[][..], "warroom.1"),
        (&["run"], "warroom-run.1"),
        (&["recordings", "list"], "warroom-recordings-list.1"),
    ] {
        let printed = page(args).out;
        assert_eq!(printed, fs::read_to_string(folder.join(file)).unwrap(), "{args:?}");
        assert!(
            printed.contains(&format!(".TH {}", file.trim_end_matches(".1"))) && printed.contains("context"),
            "{printed}"
        );
    }
    let unknown = page(&["recordings", "lst"]);
    assert_eq!(
        (unknown.code, unknown.err.contains("no such subcommand \"lst\"; did you mean \"list\"?")),
        (2, true),
        "{unknown:?}"
    );
    home.write("man1/below", "a file where the folder should be");
    let failed = home.run(&["man", "--dir", below.to_str().unwrap()]);
    assert_eq!((failed.code, failed.err.contains(below.to_str().unwrap())), (1, true), "{failed:?}");
}

#[test]
fn the_rights_of_every_source_are_told() {
    let page = fs::read_to_string(root().join("docs/rights.md")).unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let told = |grant: &Grant, verb: &str| {
        rows.iter().any(|row| {
            let has = |cell: usize, word: &str| {
                row.get(cell).is_some_and(|cell| cell.split(", ").any(|one| one == word))
            };
            has(1, grant.group) && has(2, grant.resource) && has(3, verb)
        })
    };
    for grant in SourceId::ALL.iter().flat_map(|source| source.grants()) {
        for verb in grant.verbs {
            assert!(told(grant, verb), "docs/rights.md does not tell {verb} on {}", grant.resource);
        }
    }
}
