//! A document → steps with ids, and what became of each of its parts.

use std::collections::BTreeSet;

use super::document::{Form, Part, parts};
use super::draft::{Draft, Variables, With};
use super::lex::{Token, Word};
use super::pipeline::{Pipeline, pipelines};
use super::shell::{Body, Command, commands};
use super::{Became, Finding, NewStep, draft, hash, judge, verb, write};
use crate::event::Danger;

/// Languages of a shell.
const SHELLS: &[&str] =
    &["bash", "sh", "shell", "zsh", "console", "shell-session", "shellsession", "terminal", "session", "ksh"];
/// Programs by which a command is known where no language is told.
const PROGRAMS: &[&str] = &[
    "aws",
    "az",
    "curl",
    "docker",
    "eksctl",
    "gcloud",
    "git",
    "helm",
    "istioctl",
    "jq",
    "kubectl",
    "make",
    "oc",
    "open",
    "psql",
    "python",
    "redis-cli",
    "sudo",
    "systemctl",
    "terraform",
    "argocd",
    "flux",
    "velero",
    "vault",
    "watch",
    "wget",
    "kill",
];
/// Kinds of which a runbook has many steps: their ids are made of their titles.
const MANY: &[&str] = &["browse", "by-hand", "checklist", "command", "exec-check", "query"];
/// Words that print or wait, and change nothing that lasts.
const IDLE: &[&str] = &["echo", "printf", "sleep", "set", ":", "true", "clear", "unset", "shopt"];
/// The longest title, in characters.
const TITLE: usize = 72;

/// Steps so far.
#[derive(Default)]
#[allow(clippy::struct_field_names, reason = "they are the steps")]
pub(super) struct Steps {
    pub steps: Vec<NewStep>,
    pub findings: Vec<Finding>,
    ids: BTreeSet<String>,
}

/// A part of a document that steps are made of.
pub(super) struct Place<'a> {
    pub section: String,
    pub line: usize,
    pub text: &'a str,
}

impl Steps {
    /// Adds a step; answers its id.
    pub fn add(&mut self, place: &Place<'_>, mut draft: Draft) -> String {
        draft.title = shortened(&draft.title);
        draft.danger = write::at_least(draft.danger, draft.kind);
        let id = self.id(&draft);
        let Place { section, line, text } = place;
        let step =
            NewStep { id: id.clone(), section: section.clone(), draft, line: *line, blake3: hash(text) };
        self.steps.push(step);
        id
    }

    /// Notes what became of a part.
    pub fn found(&mut self, place: &Place<'_>, became: Became) {
        self.findings.push(Finding { line: place.line, text: place.text.to_owned(), became });
    }

    /// An id that no other step has: that of the kind, or of the title.
    fn id(&mut self, made: &Draft) -> String {
        let title = Some(draft::slug(&made.title)).filter(|slug| !slug.is_empty());
        let title = title.unwrap_or_else(|| made.kind.to_owned());
        let first = if MANY.contains(&made.kind) { title.clone() } else { made.kind.to_owned() };
        let numbered = (2..).map(|number| format!("{title}-{number}"));
        let id = [first, title.clone()]
            .into_iter()
            .chain(numbered)
            .find(|id| !self.ids.contains(id))
            .unwrap_or_default();
        self.ids.insert(id.clone());
        id
    }
}

/// Makes steps of a Markdown document.
pub(super) fn document(text: &str, steps: &mut Steps) {
    let mut variables = Variables::new();
    let mut siblings: Vec<Part> = Vec::new();
    for part in parts(text) {
        match &part.form {
            Form::Code(language) if is_shell(language, &part) => {
                let found = commands(&part.lines);
                if found.is_empty() {
                    kept(&part, "comments", steps);
                }
                for command in &found {
                    Conversion { part: &part, command, steps, variables: &mut variables }.run();
                }
            }
            Form::Code(language) if language == "promql" => {
                let query = Draft::read("query", "Ask Prometheus").default("query", part.text().trim());
                one(&part, query, steps);
            }
            Form::Code(language) => kept(&part, data(language), steps),
            Form::Inline if is_command(&part.text()) => {
                let found = commands(&part.lines);
                for command in &found {
                    Conversion { part: &part, command, steps, variables: &mut variables }.run();
                }
            }
            Form::Inline => {}
            Form::Table => kept(&part, "a table", steps),
            Form::Url(url) => {
                let id = steps.add(&place(&part, &part.text()), verb::link(url, &part.title));
                steps.found(&place(&part, &part.text()), Became::Kept(id, "a link"));
            }
            Form::Sibling(_) => siblings.push(part),
        }
    }
    linked(&siblings, steps);
}

/// Keeps the links to other documents, those of a section together.
fn linked(siblings: &[Part], steps: &mut Steps) {
    for group in siblings.chunk_by(|a, b| a.headings == b.headings) {
        let text: Vec<String> = group.iter().map(|part| format!("{}: {}", part.title, part.text())).collect();
        let mut draft = Draft::by_hand(&text.join("\n"), heading(&group[0], "Other documents"));
        let links = group
            .iter()
            .filter_map(|part| if let Form::Sibling(file) = &part.form { Some(file.clone()) } else { None });
        draft.links = links.collect();
        let id = steps.add(&place(&group[0], &group[0].text()), draft);
        for part in group {
            steps.found(&place(part, &part.text()), Became::Kept(id.clone(), "a link to another document"));
        }
    }
}

/// What code in another language is.
fn data(language: &str) -> &'static str {
    match language {
        "yaml" | "yml" | "json" | "toml" => "a document",
        "sql" => "statements for a database",
        "markdown" | "md" => "a template",
        _ => "text",
    }
}

fn kept(part: &Part, what: &'static str, steps: &mut Steps) {
    let text = part.text();
    let place = place(part, &text);
    let id = steps.add(&place, Draft::by_hand(&text, heading(part, what)));
    steps.found(&place, Became::Kept(id, what));
}

fn one(part: &Part, draft: Draft, steps: &mut Steps) {
    let text = part.text();
    let place = place(part, &text);
    let kind = draft.kind;
    let id = steps.add(&place, draft);
    steps.found(&place, Became::Steps(vec![(id, kind)]));
}

fn heading(part: &Part, otherwise: &str) -> String {
    part.headings
        .last()
        .cloned()
        .filter(|heading| !heading.is_empty())
        .unwrap_or_else(|| otherwise.to_owned())
}

fn place<'a>(part: &Part, text: &'a str) -> Place<'a> {
    Place { section: section(&part.headings, ""), line: part.line(), text }
}

/// The last two of the headings, and of what a comment says of several commands.
fn section(headings: &[String], comment: &str) -> String {
    let all: Vec<&str> =
        headings.iter().map(String::as_str).chain([comment]).filter(|one| !one.is_empty()).collect();
    all[all.len().saturating_sub(2)..].join(": ")
}

fn shortened(title: &str) -> String {
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = title.chars().take(TITLE).collect();
    if short.len() < title.len() {
        short.push('…');
    }
    short
}

/// Whether a block holds commands. One that is called YAML, and is none, may be a command that somebody
/// pasted.
fn is_shell(language: &str, part: &Part) -> bool {
    let is_list = |text: &str| {
        serde_saphyr::from_str::<serde_json::Value>(text)
            .is_ok_and(|value| value.is_object() || value.is_array())
    };
    let first = part
        .lines
        .iter()
        .map(|(_, line)| line.trim())
        .find(|line| !line.is_empty() && !line.starts_with('#'));
    match language {
        "" | "text" | "plain" | "plaintext" => first.is_some_and(is_command),
        "yaml" | "yml" => {
            !is_list(&part.text()) && first.is_some_and(|line| line.ends_with('\\') || is_command(line))
        }
        other => SHELLS.contains(&other),
    }
}

/// Whether a line begins like a command.
fn is_command(line: &str) -> bool {
    let typed = line.starts_with("$ ") || line.contains(":~$ ");
    let mut words = line.split_whitespace().skip_while(|word| word.contains('='));
    let first = words.next().unwrap_or_default();
    typed
        || (words.next().is_some() && (PROGRAMS.contains(&first) || first.starts_with("./")))
        || (first.starts_with("./") && judge::is_script(first))
}

/// One command on its way.
struct Conversion<'a> {
    part: &'a Part,
    command: &'a Command,
    steps: &'a mut Steps,
    variables: &'a mut Variables,
}

impl<'a> Conversion<'a> {
    fn run(mut self) {
        let command = self.command;
        match &command.body {
            Body::Prose(why) => self.keep(why),
            Body::Line(tokens, Some(_)) if writes_a_file(tokens) => self.keep("a document"),
            Body::Line(tokens, document) => {
                let made = pipelines(tokens).and_then(|all| self.drafts(&all, document.as_deref()));
                self.settle(made, false);
            }
            Body::Loop { variable, items, body } => {
                let made = self.each(variable, items, body);
                self.settle(made, items.iter().all(|item| item.literal().is_some()));
            }
        }
    }

    /// The steps of pipelines that follow one another; none where one of them is for a person.
    fn drafts(&mut self, all: &[Pipeline], document: Option<&str>) -> Result<Vec<Draft>, String> {
        let mut drafts = Vec::new();
        let mut folder = None;
        for pipeline in all {
            let words = pipeline.stages.first().map(Vec::as_slice).unwrap_or_default();
            let first = words.first().and_then(Word::literal).unwrap_or_default();
            if IDLE.contains(&first) && pipeline.stages.len() == 1 {
                continue;
            }
            let set = if first == "export" { &words[1..] } else { words };
            if set.iter().all(|word| verb::assignment(word).is_some()) {
                self.variables.extend(set.iter().filter_map(verb::assignment));
                continue;
            }
            if first == "cd" {
                folder = Some(
                    words
                        .get(1)
                        .and_then(Word::literal)
                        .ok_or("a folder that only a shell could work out")?,
                );
                continue;
            }
            let mut draft = verb::step(pipeline, document, self.variables)?;
            if let Some(folder) = folder.filter(|_| draft.kind == "command") {
                draft.with.push(("folder", With::Text(folder.to_owned())));
            }
            drafts.push(draft);
        }
        Ok(drafts)
    }

    /// The steps of a loop: those of its body, for each item.
    fn each(&mut self, variable: &str, items: &[Word], body: &[Token]) -> Result<Vec<Draft>, String> {
        let open = items.iter().any(|item| item.literal().is_none());
        let values: Vec<Option<&Word>> = if open { vec![None] } else { items.iter().map(Some).collect() };
        let mut drafts = Vec::new();
        for value in values {
            let put = |token: &Token| match (token, value) {
                (Token::Word(word), Some(value)) => Token::Word(word.with(variable, value)),
                (other, _) => other.clone(),
            };
            let tokens: Vec<Token> = body.iter().map(put).collect();
            let name = value.and_then(Word::literal).unwrap_or_default();
            for mut draft in self.drafts(&pipelines(&tokens)?, None)? {
                if name.is_empty() {
                    draft.notes.push("one at a time; the document does it in a loop".to_owned());
                } else {
                    let title = if self.titled().is_empty() { &draft.title } else { self.titled() };
                    draft.title =
                        if title.contains(name) { title.to_owned() } else { format!("{title}: {name}") };
                }
                drafts.push(draft);
            }
        }
        Ok(drafts)
    }

    /// What the document calls the command; empty where it does not say, or says it of several.
    fn titled(&self) -> &str {
        let Command { comment, shared, .. } = self.command;
        if !comment.is_empty() && !shared { comment } else { &self.part.title }
    }

    fn settle(&mut self, made: Result<Vec<Draft>, String>, is_checklist: bool) {
        let place = self.place();
        match made {
            Ok(drafts) if drafts.is_empty() => {
                self.steps.found(&place, Became::Nothing("prints, waits or names something".to_owned()));
            }
            Ok(drafts) => {
                let looks =
                    drafts.iter().all(|draft| write::at_least(draft.danger, draft.kind) == Danger::Read);
                let titled = self.titled().to_owned();
                let alone = drafts.len() == 1;
                let mut ids = Vec::new();
                for mut draft in drafts {
                    if alone && !titled.is_empty() {
                        draft.title.clone_from(&titled);
                    }
                    let kind = draft.kind;
                    ids.push((self.steps.add(&place, draft), kind));
                }
                if is_checklist && looks && !alone {
                    let title = if titled.is_empty() { "Checklist".to_owned() } else { titled };
                    let all = ids.iter().map(|(id, _)| id.clone()).collect();
                    let list = Draft::read("checklist", title).with("steps", With::List(all));
                    ids.push((self.steps.add(&place, list), "checklist"));
                }
                self.steps.found(&place, Became::Steps(ids));
            }
            Err(why) => {
                let id = self.steps.add(&place, self.by_hand());
                self.steps.found(&place, Became::ByHand(id, why));
            }
        }
    }

    fn keep(&mut self, what: &'static str) {
        let place = self.place();
        let id = self.steps.add(&place, self.by_hand());
        self.steps.found(&place, Became::Kept(id, what));
    }

    fn by_hand(&self) -> Draft {
        let first = self.command.text.lines().next().unwrap_or_default();
        let title = if self.titled().is_empty() { first } else { self.titled() };
        Draft::by_hand(&self.command.text, title)
    }

    fn place(&self) -> Place<'a> {
        let Command { line, text, comment, shared, .. } = self.command;
        let shared = if *shared { comment.as_str() } else { "" };
        Place { section: section(&self.part.headings, shared), line: *line, text }
    }
}

/// `cat > file <<EOF`
fn writes_a_file(tokens: &[Token]) -> bool {
    matches!(tokens.first(), Some(Token::Word(word)) if ["cat", "tee"].contains(&word.literal().unwrap_or_default()))
        && !tokens.contains(&Token::Operator("|"))
}
