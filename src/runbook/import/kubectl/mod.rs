//! kubectl's verbs → the kinds of step that do the same; what has none is left to the external command.

mod apply;
mod exec;
mod rollout;

use super::args::Args;
use super::draft::{Cannot, Draft, by_hand};
use super::lex::{Piece, Word};

/// A call of kubectl: its verb, its arguments behind that, and what its output goes through.
pub(super) struct Call<'a> {
    verb: &'a str,
    args: Args,
    filters: &'a [Vec<Word>],
    document: Option<&'a str>,
}

/// Flags with a value, of any verb.
const WITH_VALUE: [&str; 22] = [
    "-n",
    "--namespace",
    "-l",
    "--selector",
    "-c",
    "--container",
    "-o",
    "--output",
    "--context",
    "--kubeconfig",
    "--tail",
    "--since",
    "--sort-by",
    "--replicas",
    "--to-revision",
    "--patch",
    "--type",
    "--field-selector",
    "--grace-period",
    "--timeout",
    "--filename",
    "--cluster",
];

/// Makes a step of a call of kubectl, `words` without the program.
///
/// # Errors
/// It has no kind of its own, or only a person can do it.
pub(super) fn kubectl(
    words: &[Word],
    filters: &[Vec<Word>],
    document: Option<&str>,
) -> Result<Draft, Cannot> {
    let verb = Args::of(words, &WITH_VALUE);
    let verb = verb.text(0);
    let short: &[&str] = if verb == "logs" { &[] } else { &["-f", "-p"] };
    let mut args = Args::of(words, &[&WITH_VALUE[..], short].concat());
    if args.words.is_empty() {
        return Err(Cannot::Native);
    }
    args.words.remove(0);
    args.words = args.words.iter().map(named).collect();
    let call = Call { verb, args, filters, document };
    let made = call.draft()?;
    Ok(match call.args.value(&["--context"]).and_then(Word::literal) {
        Some(context) => made.note(format!("the document means context {context}")),
        None => made,
    })
}

/// A name in capitals is none that the cluster could have: it stands for one.
fn named(word: &Word) -> Word {
    let capital = |text: &&str| {
        text.len() > 2
            && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "_-".contains(c))
            && text.starts_with(|c: char| c.is_ascii_uppercase())
    };
    match word.literal().filter(capital) {
        Some(name) => Word(vec![Piece::Hole(name.to_owned())]),
        None => word.clone(),
    }
}

impl Call<'_> {
    fn draft(&self) -> Result<Draft, Cannot> {
        match self.verb {
            "get" => self.get(),
            "top" if is(self.args.text(0), "node") && self.args.words.len() == 1 => {
                Ok(Draft::read("top-nodes", "What nodes use"))
            }
            "logs" => self.logs(),
            "exec" => self.exec(),
            "cp" => self.copy(),
            "apply" => self.apply(),
            "patch" => self.patch(),
            "scale" => self.scale(),
            "set" if self.args.text(0) == "env" => self.set_env(),
            "rollout" => self.rollout(),
            "delete" => self.delete(),
            "cordon" | "uncordon" | "drain" => self.node(),
            "edit" | "attach" | "debug" => by_hand("it wants a terminal"),
            "port-forward" | "proxy" => by_hand("it goes on until somebody stops it"),
            _ => Err(Cannot::Native),
        }
    }

    fn namespace(&self) -> Option<Word> {
        self.args.value(&["-n", "--namespace"]).map(named)
    }

    fn get(&self) -> Result<Draft, Cannot> {
        let namespace = self.namespace();
        let plain = self.args.words.len() == 1;
        let what = self.args.text(0);
        if is(what, "pod") && plain && self.only_trouble() {
            return Draft::read("pods-not-running", "Pods that are not running")
                .input("namespace", namespace.as_ref());
        }
        if is(what, "node") && plain && self.args.only(&["-o", "--output", "-w", "--watch"]) {
            return Ok(Draft::read("nodes", "Nodes"));
        }
        if (is(what, "event") || what == "ev") && plain && !self.args.has(&["--field-selector", "-l"]) {
            let made =
                Draft::read("recent-events", "The last events").input("namespace", namespace.as_ref())?;
            let count = self.filters.iter().find_map(|words| super::args::lines(words));
            return Ok(count.map_or(made.clone(), |count| made.default("count", count.to_string())));
        }
        Err(Cannot::Native)
    }

    /// Whether what is listed are the pods that do not run.
    fn only_trouble(&self) -> bool {
        let without = |words: &Vec<Word>| {
            let texts: Vec<&str> = words.iter().filter_map(Word::literal).collect();
            let inverts = texts
                .iter()
                .any(|text| text.starts_with('-') && !text.starts_with("--") && text.contains('v'));
            texts.first().is_some_and(|program| program.ends_with("grep"))
                && inverts
                && texts.iter().any(|text| text.contains("Running"))
        };
        let selector = self.args.value(&["--field-selector"]).and_then(Word::literal);
        self.filters.iter().any(without)
            || selector.is_some_and(|selector| selector.contains("status.phase!=Running"))
    }

    fn scale(&self) -> Result<Draft, Cannot> {
        let (kind, name) = self.object()?;
        if kind != "deployment" {
            return Err(Cannot::Native);
        }
        let replicas = self.args.value(&["--replicas"]);
        let made = Draft::new("scale", crate::event::Danger::Change, "Scale a deployment");
        made.object("deployment", "", &name, self.namespace().as_ref())?.input("replicas", replicas)
    }

    fn node(&self) -> Result<Draft, Cannot> {
        let (kind, title) = match self.verb {
            "cordon" => ("cordon", "Cordon a node"),
            "uncordon" => ("uncordon", "Uncordon a node"),
            _ => ("drain", "Drain a node"),
        };
        let name = self.args.words.first().ok_or(Cannot::Native)?;
        let name = target(std::slice::from_ref(name)).map_or(name.clone(), |(_, name)| name);
        Draft::new(kind, crate::event::Danger::Change, title).input("node", Some(&name))
    }

    fn delete(&self) -> Result<Draft, Cannot> {
        let (kind, name) = self.object()?;
        if kind != "pod" || self.args.words.len() > 2 || !self.args.only(&["-n", "--namespace"]) {
            return Err(Cannot::Native);
        }
        let made = Draft::new("delete-pod", crate::event::Danger::Change, "Delete a pod");
        made.object("pod", "", &name, self.namespace().as_ref())
    }

    /// The object that the first words name: `deployment/x`, or `deployment x`.
    fn object(&self) -> Result<(String, Word), Cannot> {
        target(&self.args.words).ok_or(Cannot::Native)
    }
}

/// Kind and name of an object.
fn target(words: &[Word]) -> Option<(String, Word)> {
    let first = words.first()?;
    let (kind, name) = match first.split_once('/') {
        Some((kind, name)) => (kind, named(&name)),
        None => (first.literal()?.to_owned(), words.get(1)?.clone()),
    };
    Some((singular(&kind).to_owned(), name))
}

/// Names of kinds as kubectl takes them.
const KINDS: [(&str, &[&str]); 6] = [
    ("deployment", &["deploy", "deployments", "deployment.apps", "deployments.apps"]),
    ("statefulset", &["sts", "statefulsets", "statefulset.apps"]),
    ("daemonset", &["ds", "daemonsets", "daemonset.apps"]),
    ("service", &["svc", "services"]),
    ("pod", &["po", "pods"]),
    ("node", &["no", "nodes"]),
];

fn singular(kind: &str) -> &str {
    KINDS.iter().find(|(_, others)| others.contains(&kind)).map_or(kind, |(name, _)| name)
}

fn is(given: &str, kind: &str) -> bool {
    singular(given) == kind || (kind == "event" && given == "events")
}

#[cfg(test)]
mod tests;
