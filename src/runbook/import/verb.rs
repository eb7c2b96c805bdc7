//! A pipeline → the step that it means: which program has kinds of its own, and what its output goes through.

use super::args::Args;
use super::draft::{Cannot, Draft, Variables, argument, by_hand};
use super::judge;
use super::kubectl::kubectl;
use super::lex::{Piece, Word};
use super::pipeline::Pipeline;
use super::program::program;
use crate::event::Danger;

/// Programs that choose and lay out what another has printed; a step shows all of it.
const FILTERS: &[&str] = &[
    "awk", "cat", "column", "cut", "egrep", "fgrep", "grep", "head", "jq", "less", "more", "nl", "sed",
    "sort", "tail", "tee", "tr", "uniq", "wc", "yq", "zgrep",
];

/// Makes the step that a pipeline means.
///
/// # Errors
/// Why a person has to do it.
pub(super) fn step(
    pipeline: &Pipeline,
    document: Option<&str>,
    variables: &Variables,
) -> Result<Draft, String> {
    let Some((first, filters)) = pipeline.stages.split_first() else {
        return Err("nothing to run".to_owned());
    };
    let (words, before) = prefixes(first)?;
    if let Some(last) = filters.last().filter(|stage| program_of(stage) == "xargs") {
        return picked(&words, filters, last, variables);
    }
    if let Some(stage) = filters.iter().find(|stage| !FILTERS.contains(&program_of(stage))) {
        return Err(format!("what is printed is given to {}", program_of(stage)));
    }
    if pipeline.is_fed && document.is_none() {
        return Err("it is fed from a file".to_owned());
    }
    let known: Vec<Word> = words.iter().map(|word| known(word, variables)).collect();
    let mut made = match native(&known, filters, document) {
        Ok(made) if before.is_empty() => made,
        Ok(made) => made.note(format!("the document runs it by {}", text_of(&before))),
        Err(Cannot::Any(why)) => return Err(why),
        Err(Cannot::Native) if document.is_some() => return Err("it is fed from the document".to_owned()),
        Err(Cannot::Native) => program(&before, &words, variables)?,
    };
    if made.kind == "command" && made.danger != Danger::Read && pipeline.writes {
        return Err("what it prints is written to a file".to_owned());
    }
    if !filters.is_empty() && !["pods-not-running", "recent-events"].contains(&made.kind) {
        let told: Vec<String> = filters.iter().map(|stage| text_of(stage)).collect();
        made.notes.push(format!(
            "all that is printed is shown; the document sends it through {}",
            told.join(" | ")
        ));
    }
    made.notes.extend(pipeline.left_out.iter().cloned());
    Ok(made)
}

/// A word with the values of variables that the document has set.
fn known(word: &Word, variables: &Variables) -> Word {
    variables.iter().fold(word.clone(), |word, (name, value)| word.with(name, value))
}

/// The step of a program that has kinds of its own.
fn native(words: &[Word], filters: &[Vec<Word>], document: Option<&str>) -> Result<Draft, Cannot> {
    let Some((first, rest)) = words.split_first() else { return Err(Cannot::Native) };
    match first.literal().map(judge::name).unwrap_or_default() {
        "kubectl" | "k" | "oc" => kubectl(rest, filters, document),
        "helm" => helm(rest),
        "curl" => super::curl::curl(rest),
        "open" | "xdg-open" | "start" => browse(rest),
        _ => Err(Cannot::Native),
    }
}

fn helm(words: &[Word]) -> Result<Draft, Cannot> {
    let args = Args::of(words, &["-n", "--namespace", "--max", "-o", "--output", "--kube-context"]);
    if args.text(0) != "history" && args.text(0) != "hist" {
        return Err(Cannot::Native);
    }
    let release = args.words.get(1).ok_or(Cannot::Native)?;
    let title = format!("Helm's history of {}", argument(release).replace(['{', '}'], ""));
    Draft::read("helm-history", title)
        .input("release", Some(release))?
        .input("namespace", args.value(&["-n", "--namespace"]))
}

fn browse(words: &[Word]) -> Result<Draft, Cannot> {
    match words.first().and_then(Word::literal) {
        Some(url) if url.starts_with("https://") || url.starts_with("http://") => Ok(link(url, "")),
        _ => by_hand("it opens something on the machine of whoever runs it"),
    }
}

/// A step that opens an address; without a title it is called by its host.
pub(super) fn link(url: &str, title: &str) -> Draft {
    let host = url.split("://").last().unwrap_or(url).split('/').next().unwrap_or(url);
    let title = if title.is_empty() || title == url { format!("Open {host}") } else { title.to_owned() };
    Draft::read("browse", title).with("url", super::draft::With::Text(url.to_owned()))
}

/// The words of the program itself, and before them what it is run by and what counts: `sudo`, variables.
/// `time` and `watch -n 5` are left out: a step is timed, and run once.
fn prefixes(words: &[Word]) -> Result<(Vec<Word>, Vec<Word>), String> {
    let mut words = words;
    let mut before: Vec<Word> = Vec::new();
    while let Some((first, rest)) = words.split_first() {
        match first.literal().unwrap_or_default() {
            "time" | "nohup" | "command" | "env" => words = rest,
            "sudo" => {
                let program = behind(rest, &["-u", "-g", "--user"]);
                before.extend(words[..words.len() - program.len()].iter().cloned());
                words = program;
            }
            "watch" => words = behind(rest, &["-n", "--interval"]),
            "timeout" => words = behind(rest, &["-s", "-k"]).get(1..).unwrap_or_default(),
            _ => {
                let Some((name, value)) = assignment(first) else { break };
                if crate::clean::redact::is_secret_key(&name) && value != Word::default() {
                    return Err(format!("{name} is a secret, and an argument can be read by others"));
                }
                let begun = before.iter().any(|word| word.literal() == Some("env"));
                before.extend((!begun).then(|| Word::text("env")));
                before.push(first.clone());
                words = rest;
            }
        }
    }
    Ok((words.to_vec(), before))
}

/// What follows a program's own flags.
fn behind<'a>(words: &'a [Word], with_value: &[&str]) -> &'a [Word] {
    let Some((first, rest)) = words.split_first() else { return words };
    match first.literal() {
        Some(flag) if with_value.contains(&flag) => behind(rest.get(1..).unwrap_or_default(), with_value),
        Some(flag) if flag.starts_with('-') => behind(rest, with_value),
        _ => words,
    }
}

/// `NAME=value`
pub(super) fn assignment(word: &Word) -> Option<(String, Word)> {
    let (name, value) = word.split_once('=')?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let plain = !name.is_empty() && name.chars().all(fits) && !name.starts_with(|c: char| c.is_ascii_digit());
    plain.then_some((name, value))
}

/// `… | xargs kubectl delete pod`: the step, of which whoever runs it chooses what it is done to.
fn picked(
    words: &[Word],
    filters: &[Vec<Word>],
    xargs: &[Word],
    variables: &Variables,
) -> Result<Draft, String> {
    if judge::danger(words) != Danger::Read {
        return Err("what is printed is given to xargs".to_owned());
    }
    let command = behind(&xargs[1..], &["-n", "-I", "-P", "-L", "-d"]);
    let marks =
        xargs.windows(2).find(|pair| pair[0].literal() == Some("-I")).and_then(|pair| pair[1].literal());
    let hole = Word(vec![Piece::Hole("target".to_owned())]);
    let words_with_hole = match marks {
        Some(mark) => command
            .iter()
            .map(|word| if word.literal() == Some(mark) { hole.clone() } else { word.clone() })
            .collect(),
        None => [command, std::slice::from_ref(&hole)].concat(),
    };
    let pipeline = Pipeline { stages: vec![words_with_hole], ..Pipeline::default() };
    let made = step(&pipeline, None, variables)?;
    let before = [&[words.to_vec()][..], &filters[..filters.len() - 1]].concat();
    let told: Vec<String> = before.iter().map(|stage| text_of(stage)).collect();
    Ok(made.note(format!("one at a time; the document takes each that this prints: {}", told.join(" | "))))
}

fn program_of(stage: &[Word]) -> &str {
    stage.first().and_then(Word::literal).map(judge::name).unwrap_or_default()
}

fn text_of(words: &[Word]) -> String {
    words.iter().map(|word| crate::step::command::quoted(&argument(word))).collect::<Vec<_>>().join(" ")
}
