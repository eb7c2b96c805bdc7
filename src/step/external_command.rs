//! A program of this machine: `eksctl`, a runbook's script, any team's own. The runbook fixes its argument
//! vector, and says by its danger what it can break; inputs stand in the place of `{input}` inside a word,
//! which stays one word whatever they hold. No shell reads any of it.

use serde_json::Value;

use super::command::{Word, line, quoted, typed};
use super::input::{InputSpec, Inputs};
use super::parameters::{ParameterKind, ParameterSpec, Parameters};
use super::{Answer, Ctx, Draft, Request, StepKind, Undo};
use crate::clean::Clean;
use crate::data::Problem;
use crate::event::{Command, Danger, Naming, Op, Program, Refusal, StepCall, Target, Typed};

/// Seconds that a program may take, unless the runbook says more or less.
const SECONDS: u32 = 60;
/// Characters of the command that the title holds.
const TITLE: usize = 160;

const ARGV: &str = "argv";
const ENV: &str = "env";
const FOLDER: &str = "folder";
const LIMIT: &str = "seconds";
const TYPED: &str = "typed";

const PARAMETERS: &[ParameterSpec] = &[
    ParameterSpec { name: ARGV, kind: ParameterKind::List, required: true },
    ParameterSpec { name: ENV, kind: ParameterKind::List, required: false },
    ParameterSpec { name: FOLDER, kind: ParameterKind::Text, required: false },
    ParameterSpec { name: LIMIT, kind: ParameterKind::Count, required: false },
    ParameterSpec { name: TYPED, kind: ParameterKind::Text, required: false },
];

/// Variables that every program gets; by the last, kubectl and helm find the clusters in the files that
/// warroom itself has read.
const VARIABLES: [&str; 6] = ["PATH", "HOME", "LANG", "TMPDIR", "USER", "KUBECONFIG"];

pub(super) struct ExternalCommand;

impl StepKind for ExternalCommand {
    fn name(&self) -> &'static str {
        "command"
    }

    fn danger(&self) -> Danger {
        Danger::Read
    }

    fn inputs(&self) -> &'static [InputSpec] {
        &[]
    }

    fn takes_own_inputs(&self) -> bool {
        true
    }

    fn parameters(&self) -> &'static [ParameterSpec] {
        PARAMETERS
    }

    fn fits(&self, with: &Parameters, inputs: &[&str]) -> Result<(), String> {
        let known = || inputs.iter().copied().chain([StepCall::CONTEXT]);
        let unknown = |name: &str| Problem::unknown("input", name, known()).to_string();
        let words = with.list(ARGV).iter().map(|word| parts(word)).collect::<Result<Vec<_>, _>>()?;
        match words.first().map(Vec::as_slice) {
            Some([Part::Text(program)]) if !program.is_empty() => {}
            _ => {
                return Err(
                    "argv begins with a program, which is no input: argv = [\"program\", …]".to_owned()
                );
            }
        }
        if let Some(shell) = shell_line(with.list(ARGV)) {
            return Err(format!(
                "argv holds a program as text for {shell}: name the program and its arguments, a word each"
            ));
        }
        let named = words.iter().flatten().filter_map(Part::input);
        if let Some(name) = named.chain(with.text(TYPED)).find(|name| !known().any(|known| known == *name)) {
            return Err(unknown(name));
        }
        match with.list(ENV).iter().find(|name| !is_variable(name)) {
            Some(name) => {
                Err(format!("\"{name}\" is no name of a variable: env holds names, without values"))
            }
            None => Ok(()),
        }
    }

    fn example(&self, inputs: &Inputs, with: &Parameters) -> Option<String> {
        let part = |part: Part| match part {
            Part::Text(text) => text,
            Part::Input(name) => inputs.get(&name).map_or_else(|| format!("<{name}>"), str::to_owned),
        };
        let word = |word: &String| Some(parts(word).ok()?.into_iter().map(part).collect::<String>());
        let words = with.list(ARGV).iter().map(word).collect::<Option<Vec<String>>>()?;
        Some(words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
    }

    fn plan(&self, inputs: &Inputs, _: &[Answer], ctx: &Ctx) -> Result<Draft, Refusal> {
        let words = words(ctx.with.list(ARGV), inputs, ctx)?;
        let argv = typed(&words);
        let told = argv.iter().map(|word| word.shown().as_str()).collect::<Vec<_>>().join(" ");
        let target = target(&words, inputs, ctx)?;
        let own = ctx.with.list(ENV).iter().map(String::as_str).filter(|name| !VARIABLES.contains(name));
        let program = Program {
            target: target.clone(),
            file: Typed::default(),
            argv: argv.clone(),
            folder: Typed::new(ctx.with.text(FOLDER).unwrap_or_default()),
            variables: VARIABLES.into_iter().chain(own).map(Clean::new).collect(),
            seconds: ctx.with.count(LIMIT).unwrap_or(SECONDS),
        };
        Ok(Draft {
            title: format!("run {}", shortened(&told)),
            target,
            requests: vec![Request {
                op: Op::Command(program),
                rights: Vec::new(),
                object: Value::Null,
                scale: false,
            }],
            checks: Vec::new(),
            undo: Undo::None("what a program has changed is not known here".to_owned()),
            command: command(&words, &argv, ctx),
            touches: "whatever the program reaches from this machine".to_owned(),
            facts: Vec::new(),
            lines: Vec::new(),
            naming: ctx
                .with
                .text(TYPED)
                .map(|name| Naming { why: format!("{name} is typed again").into(), lasting: true }),
        })
    }
}

/// What reads a program as text, and the letter of the flag that the text follows.
const INTERPRETERS: [(&str, char); 14] = [
    ("sh", 'c'),
    ("bash", 'c'),
    ("dash", 'c'),
    ("ash", 'c'),
    ("zsh", 'c'),
    ("ksh", 'c'),
    ("fish", 'c'),
    ("su", 'c'),
    ("python", 'c'),
    ("python3", 'c'),
    ("perl", 'e'),
    ("ruby", 'e'),
    ("node", 'e'),
    ("pwsh", 'C'),
];

/// The interpreter that an argument vector gives a program as text, anywhere in it: what an input is there
/// would be read as a part of the program.
fn shell_line(argv: &[String]) -> Option<&str> {
    argv.iter().enumerate().find_map(|(at, word)| {
        let named = word.rsplit('/').next().unwrap_or(word);
        let (_, letter) = INTERPRETERS.iter().find(|(name, _)| *name == named)?;
        // `-o pipefail` is a flag of two words.
        let takes_a_word = |flag: &str| matches!(flag, "-o" | "+o" | "-O" | "+O");
        let rest = &argv[at + 1..];
        let is_flag = |(n, word): &(usize, &String)| {
            word.starts_with(['-', '+']) || (*n > 0 && takes_a_word(&rest[n - 1]))
        };
        let flags = rest.iter().enumerate().take_while(is_flag).map(|(_, word)| word);
        let inline = |flag: &String| match flag.strip_prefix("--") {
            Some(long) => ["eval", "command", "print"].iter().any(|name| long.starts_with(name)),
            None => flag.contains(*letter),
        };
        flags.into_iter().any(inline).then_some(named)
    })
}

/// A part of a word of the argument vector.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// As it stands.
    Text(String),
    /// The value of the input of that name.
    Input(String),
}

impl Part {
    fn input(&self) -> Option<&str> {
        if let Self::Input(name) = self { Some(name) } else { None }
    }
}

/// The parts of a word: `{name}` is an input, `{{` and `}}` are braces.
fn parts(word: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = word;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        text.push_str(before);
        if brace.starts_with("{{") || brace.starts_with("}}") {
            text.push_str(&brace[..1]);
            rest = &brace[2..];
            continue;
        }
        let name = brace.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let Some((name, behind)) = name.filter(|(name, _)| !name.contains('{')) else {
            return Err(format!(
                "\"{word}\" has a brace alone: an input is {{name}}, a brace is {{{{ or }}}}"
            ));
        };
        parts.extend((!text.is_empty()).then(|| Part::Text(std::mem::take(&mut text))));
        parts.push(Part::Input(name.to_owned()));
        rest = behind;
    }
    text.push_str(rest);
    if !text.is_empty() || parts.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

/// The argument vector with its inputs. A word with an input that was not given is left out.
fn words(argv: &[String], inputs: &Inputs, ctx: &Ctx) -> Result<Vec<String>, Refusal> {
    let words = argv.iter().map(|word| {
        let parts = parts(word).map_err(Refusal::failed)?;
        filled(&parts, inputs, ctx)
    });
    let words = words.collect::<Result<Vec<_>, Refusal>>()?;
    Ok(words.into_iter().flatten().collect())
}

/// A word; `None` where an input of it was not given.
fn filled(parts: &[Part], inputs: &Inputs, ctx: &Ctx) -> Result<Option<String>, Refusal> {
    let mut word = String::new();
    for part in parts {
        let value = match part {
            Part::Text(text) => text.as_str(),
            Part::Input(name) if name == StepCall::CONTEXT => ctx.place.context.as_str(),
            Part::Input(name) => match inputs.get(name) {
                Some(value) if word.is_empty() => argument(name, value)?,
                Some(value) => value,
                None => return Ok(None),
            },
        };
        word.push_str(value);
    }
    if word.contains('\0') {
        return Err(Refusal::usage(
            "an argument holds a zero byte, which no program can be given".to_owned(),
        ));
    }
    Ok(Some(word))
}

/// A value that a word begins with: no program must take it for an option.
fn argument<'a>(name: &str, value: &'a str) -> Result<&'a str, Refusal> {
    if value.starts_with('-') {
        let shown = Typed::new(value);
        return Err(Refusal::usage(format!(
            "{name} is \"{shown}\": it begins with -, and the program would take it for an option"
        )));
    }
    Ok(value)
}

/// What is named to confirm it: the input that is typed again, or the program.
fn target(words: &[String], inputs: &Inputs, ctx: &Ctx) -> Result<Target, Refusal> {
    if let Some(name) = ctx.with.text(TYPED) {
        return Ok(ctx.target(name, "", inputs.needed(name)?, ""));
    }
    let program = words.first().map(String::as_str).unwrap_or_default();
    Ok(ctx.target("program", "", program.rsplit('/').next().unwrap_or(program), ""))
}

/// As it is pasted: from the folder where warroom was started, or in the one that the runbook names.
fn command(words: &[String], argv: &[Typed], ctx: &Ctx) -> Command {
    let place = ctx.with.text(FOLDER).map(|folder| ["env", "-C", folder]);
    let place = place.into_iter().flatten().map(Word::from);
    let word = |(word, typed): (&String, &Typed)| {
        let shown = typed.shown();
        if *shown == Clean::new(word) {
            Word::from(word.as_str())
        } else {
            Word::hiding(word, shown, "a word of the command", true)
        }
    };
    line(&place.chain(words.iter().zip(argv).map(word)).collect::<Vec<_>>())
}

fn shortened(told: &str) -> String {
    let short: String = told.chars().take(TITLE).collect();
    if short.len() == told.len() { short } else { format!("{short}…") }
}

fn is_variable(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(fits) && !name.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::parameters::Parameter;
    use crate::step::samples::ctx;

    fn with(argv: &[&str], more: &[(&'static str, Parameter)]) -> Parameters {
        let list = |words: &[&str]| Parameter::List(words.iter().map(|word| (*word).to_owned()).collect());
        [(ARGV, list(argv))].into_iter().chain(more.iter().cloned()).collect()
    }

    fn draft(
        argv: &[&str],
        inputs: &[(&str, &str)],
        more: &[(&'static str, Parameter)],
    ) -> Result<Draft, String> {
        let ctx = Ctx { with: with(argv, more), ..ctx() };
        let inputs: Inputs = inputs.iter().copied().collect();
        ExternalCommand.plan(&inputs, &[], &ctx).map_err(|refusal| refusal.reason().to_string())
    }

    fn argv(argv: &[&str], inputs: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let draft = draft(argv, inputs, &[])?;
        let Op::Command(program) = &draft.requests[0].op else { panic!("it runs nothing") };
        Ok(program.argv.iter().map(|word| word.raw().to_owned()).collect())
    }

    #[test]
    fn a_value_stays_in_its_word_whatever_it_holds() {
        for value in ["; rm -rf /", "$(x)", "`x`", "a b\n\tc", "🔥", "{name}", "it's", &"x".repeat(10_000)]
        {
            let words = argv(&["p", "--name={name}", "{name}"], &[("name", value)]).unwrap();
            assert_eq!(words, ["p".to_owned(), format!("--name={value}"), value.to_owned()]);
        }
    }

    #[test]
    fn a_value_is_never_an_option() {
        for word in ["{name}", "{name}-x"] {
            let why = argv(&["p", word], &[("name", "--help")]).unwrap_err();
            assert!(why.starts_with("name is \"--help\": it begins with -"), "{why}");
        }
        assert_eq!(argv(&["p", "--name={name}"], &[("name", "--help")]).unwrap(), ["p", "--name=--help"]);
        assert!(argv(&["p", "{name}"], &[("name", "a\0b")]).unwrap_err().contains("zero byte"));
    }

    #[test]
    fn a_word_whose_input_is_not_given_is_left_out() {
        assert_eq!(argv(&["p", "--a={a}", "{b}", "c"], &[("b", "")]).unwrap(), ["p", "c"]);
        assert_eq!(argv(&["p", "{context}", "{{a}}"], &[]).unwrap(), ["p", "prod", "{a}"]);
    }

    #[test]
    fn what_a_runbook_fixes_is_held_to_its_inputs() {
        let fits = |argv: &[&str], more: &[(&'static str, Parameter)]| {
            ExternalCommand.fits(&with(argv, more), &["version", "name"])
        };
        assert_eq!(fits(&["p", "--version={version}", "{context}"], &[]), Ok(()));
        assert_eq!(
            fits(&["p", "{versoin}"], &[]).unwrap_err(),
            "no such input \"versoin\"; did you mean \"version\"?"
        );
        assert!(fits(&["p", "{version"], &[]).unwrap_err().contains("has a brace alone"));
        let shells: [&[&str]; 5] = [
            &["bash", "-c", "kubectl delete ns {name}"],
            &["sudo", "/bin/sh", "-e", "-xc", "x"],
            &["docker", "exec", "web", "bash", "-ex", "-c", "x"],
            &["python3", "-c", "x"],
            &["bash", "-o", "pipefail", "-c", "x"],
        ];
        for argv in shells {
            assert!(fits(argv, &[]).unwrap_err().starts_with("argv holds a program as text"), "{argv:?}");
        }
        assert_eq!(fits(&["bash", "scripts/clean.sh", "-c", "{name}"], &[]), Ok(()));
        for argv in [&["{name}"][..], &["p{name}"], &[""], &[]] {
            assert!(fits(argv, &[]).unwrap_err().starts_with("argv begins with a program"), "{argv:?}");
        }
        let typed = (TYPED, Parameter::Text("vers".into()));
        assert!(fits(&["p"], &[typed]).unwrap_err().starts_with("no such input \"vers\""));
        let env = (ENV, Parameter::List(vec!["A=b".into()]));
        assert_eq!(
            fits(&["p"], &[env]).unwrap_err(),
            "\"A=b\" is no name of a variable: env holds names, without values"
        );
    }

    #[test]
    fn what_is_confirmed_is_named_and_can_be_pasted() {
        let more = [
            (FOLDER, Parameter::Text("/srv/our scripts".into())),
            (TYPED, Parameter::Text("version".into())),
        ];
        let draft = draft(&["./rollback.sh", "--version={version}"], &[("version", "2.4.1")], &more).unwrap();
        assert_eq!((&*draft.target.kind, &*draft.target.name), ("version", "2.4.1"));
        assert!(draft.naming.as_ref().is_some_and(|naming| naming.lasting), "{draft:?}");
        assert_eq!(
            draft.command.to_copy().unwrap(),
            "env -C '/srv/our scripts' ./rollback.sh --version=2.4.1"
        );
    }

    #[test]
    fn a_secret_is_given_and_not_shown() {
        let draft = draft(&["p", "--password", "{p}"], &[("p", "hunter2")], &[]).unwrap();
        let Op::Command(program) = &draft.requests[0].op else { panic!("it runs nothing") };
        assert_eq!(program.argv[2].raw(), "hunter2");
        assert!(!format!("{draft:?}").contains("hunter2") && draft.command.to_copy().is_none(), "{draft:?}");
    }
}
