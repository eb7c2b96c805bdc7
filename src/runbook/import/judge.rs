//! How much a program can break, by its name and its words. What is not known to read may change something.

use super::draft::argument;
pub(super) use super::harm::name;
use super::harm::{changing, destroys};
use super::lex::Word;
use super::reads;
use crate::event::Danger;

/// Programs that wait for somebody at a terminal.
const INTERACTIVE: &[&str] = &[
    "emacs", "htop", "k9s", "less", "man", "more", "nano", "screen", "telnet", "tmux", "top", "vi", "vim",
    "watch",
];

/// Words of a shell that mean nothing without one.
const BUILT_IN: &[&str] = &[
    ".", "alias", "bg", "eval", "exec", "fg", "history", "if", "jobs", "read", "source", "trap", "until",
    "wait", "while", "xargs",
];

/// Shells and their like, which are given a program as text.
const SHELLS: &[&str] = &[
    "ash",
    "bash",
    "csh",
    "dash",
    "fish",
    "flock",
    "ksh",
    "mksh",
    "powershell",
    "pwsh",
    "rbash",
    "runuser",
    "sh",
    "su",
    "tcsh",
    "zsh",
];
/// Programs that run the one that follows.
const WRAPPERS: &[&str] = &[
    "chrt", "command", "doas", "env", "ionice", "nice", "nohup", "setsid", "stdbuf", "sudo", "time",
    "timeout",
];

/// Languages, each with the letter of the flag that a program as text follows.
const LANGUAGES: &[(&str, char)] =
    &[("node", 'e'), ("perl", 'e'), ("python", 'c'), ("python3", 'c'), ("ruby", 'e')];

/// Databases' clients, which wait for somebody unless they are given a statement by one of these flags.
const CLIENTS: &[&str] = &["clickhouse-client", "mariadb", "mongo", "mongosh", "mysql", "psql"];
/// Flags of these with a statement, or that only tell something.
const STATEMENTS: &[&str] = &[
    "-c",
    "-e",
    "-f",
    "-l",
    "-q",
    "--command",
    "--eval",
    "--execute",
    "--file",
    "--list",
    "--query",
    "--version",
];

/// Programs that wait for somebody unless they are given a word.
const BARE: &[&str] = &["bash", "dash", "fish", "ksh", "node", "python", "python3", "redis-cli", "sh", "zsh"];

/// How much a program can break. What is not known to read may change something.
pub(super) fn danger(words: &[Word]) -> Danger {
    let texts: Vec<String> = words.iter().map(argument).collect();
    let Some((program, args)) = texts.split_first() else { return Danger::Read };
    if reads::only(program, args) {
        return Danger::Read;
    }
    // The method may stand alone, or behind other letters: `-sXDELETE`.
    let deletes = name(program) == "curl" && args.iter().any(|arg| arg.to_uppercase().ends_with("DELETE"));
    if deletes || destroys(&texts) { Danger::Destructive } else { Danger::Change }
}

/// Whether a program that is run in a pod is known to read.
pub(super) fn reads_in_a_pod(words: &[Word]) -> bool {
    let texts: Vec<String> = words.iter().map(argument).collect();
    let script = |(program, args): (&String, &[String])| reads::is_health_script(program, args);
    danger(words) == Danger::Read || texts.split_first().is_some_and(script)
}

/// Whether a program that is run in a pod says that it changes something.
pub(super) fn changes(words: &[Word]) -> bool {
    changing(&words.iter().map(argument).collect::<Vec<_>>())
}

/// Why a program is nothing that can be run without a person.
pub(super) fn wants_a_person(words: &[Word]) -> Option<&'static str> {
    words.first().and_then(Word::literal)?;
    let texts: Vec<String> = words.iter().map(argument).collect();
    if runs_a_shell(&texts) {
        return Some("a shell line, which is never run");
    }
    let (program, rest) = unwrapped(&texts).split_first()?;
    let named = name(program);
    let flagged = |flags: &[&str]| {
        rest.iter().any(|word| flags.iter().any(|flag| word == flag || word.starts_with(&format!("{flag}="))))
    };
    if BUILT_IN.contains(&named) {
        Some("a word of a shell, which is never run")
    } else if named == "ssh" {
        Some("it is done on another machine")
    } else if (INTERACTIVE.contains(&named) && !reads::only(named, rest))
        || flagged(&["-it", "-ti", "--tty", "--interactive"])
    {
        Some("it wants a terminal")
    } else if CLIENTS.contains(&named) && !flagged(STATEMENTS) {
        Some("it wants a terminal, or a statement")
    } else if BARE.contains(&named)
        && rest.iter().all(|word| word.starts_with('-'))
        && !flagged(&["--version"])
    {
        Some("it wants a terminal")
    } else {
        None
    }
}

/// Whether a shell is given a program as text, wherever in the argument vector the shell stands.
pub(super) fn runs_a_shell(argv: &[String]) -> bool {
    argv.iter().enumerate().any(|(at, word)| {
        let mut behind = argv[at + 1..].iter();
        match name(word) {
            // `env -S 'bash -c …'` splits a line into words, as a shell does.
            "env" => {
                behind.take_while(|word| word.starts_with('-') || word.contains('=')).any(|word| splits(word))
            }
            shell => SHELLS.contains(&shell) && behind.any(|word| is_inline(word)),
        }
    })
}

/// Whether a language is given a program as text: an input in it would be read as a part of the program.
pub(super) fn runs_a_program_as_text(argv: &[String]) -> bool {
    let is_text = |flag: &String, letter: char| match flag.strip_prefix("--") {
        Some(long) => ["command", "eval", "print"].iter().any(|start| long.starts_with(start)),
        None => flag.contains(letter),
    };
    argv.iter().enumerate().any(|(at, word)| {
        let language = LANGUAGES.iter().find(|(language, _)| *language == name(word));
        let mut flags = argv[at + 1..].iter().take_while(|flag| flag.starts_with('-'));
        language.is_some_and(|(_, letter)| flags.any(|flag| is_text(flag, *letter)))
    })
}

/// `-S`, `-iS`, `--split-string=…`, which may be shortened.
fn splits(flag: &str) -> bool {
    flag.starts_with("--s") || (flag.starts_with('-') && !flag.starts_with("--") && flag.contains('S'))
}

/// `-c`, `-lc`, `-ce`, `--command`, which may be shortened: a program as text follows.
fn is_inline(word: &str) -> bool {
    let Some(flag) = word.strip_prefix('-') else { return false };
    match flag.strip_prefix('-') {
        Some(long) => {
            let long = long.split_once('=').map_or(long, |(long, _)| long);
            !long.is_empty() && "command".starts_with(long)
        }
        None => flag.contains(['c', 'C']),
    }
}

/// The program that `sudo`, `env` and their like run, with its arguments.
fn unwrapped(texts: &[String]) -> &[String] {
    let mut rest = texts;
    while let Some((_, behind)) = rest.split_first().filter(|(first, _)| WRAPPERS.contains(&name(first))) {
        let mut at = 0;
        while let Some(word) = behind.get(at) {
            let own = word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) || word.contains('=');
            at += match word.as_str() {
                "-u" | "-g" | "-C" | "--user" | "--group" => 2,
                _ if own => 1,
                _ => break,
            };
        }
        rest = behind.get(at..).unwrap_or_default();
    }
    rest
}

/// Whether a file is a script by its name.
pub(super) fn is_script(file: &str) -> bool {
    std::path::Path::new(file).extension().is_some_and(|extension| extension == "sh" || extension == "py")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Word> {
        line.split(' ').map(Word::text).collect()
    }

    #[test]
    fn what_is_not_known_to_read_may_change_something() {
        for (line, expected) in [
            ("kubectl describe pod x", Danger::Read),
            ("aws ec2 describe-instances", Danger::Read),
            ("docker logs x", Danger::Read),
            ("df -h", Danger::Read),
            ("./scripts/anything.sh", Danger::Change),
            ("helm upgrade x", Danger::Change),
            ("helm rollback x 3", Danger::Destructive),
            ("./scripts/rollback-migration.sh --version=1", Danger::Destructive),
            ("aws ec2 terminate-instances", Danger::Destructive),
            ("curl -s x", Danger::Read),
            ("curl -X DELETE x", Danger::Destructive),
            ("curl -d y x", Danger::Change),
            ("curl -sX POST x", Danger::Change),
            ("curl -sX DELETE x", Danger::Destructive),
            ("curl -sXDELETE x", Danger::Destructive),
            ("curl --json {} x", Danger::Change),
            ("curl -d'{}' x", Danger::Change),
            ("curl --frobnicate x", Danger::Change),
            ("aws logs delete-log-group --log-group-name x", Danger::Destructive),
            ("aws events put-rule --name x", Danger::Change),
            ("kubectl delete events --all", Danger::Destructive),
            ("kubectl delete -n logs deployment x", Danger::Destructive),
            ("kubectl logs deploy/delete", Danger::Read),
            ("journalctl -u x", Danger::Read),
            ("journalctl --vacuum-size=1M", Danger::Change),
            ("dmesg -C", Danger::Change),
            ("date -s x", Danger::Change),
            ("hostname x", Danger::Change),
        ] {
            assert_eq!(danger(&words(line)), expected, "{line}");
        }
        assert!(changes(&words("psql -c DELETE")) && !changes(&words("psql -c SELECT")));
        assert!(reads_in_a_pod(&words("npm run db:health")) && !reads_in_a_pod(&words("nginx -s reload")));
    }

    #[test]
    fn what_wants_a_person_is_told() {
        for line in [
            "bash -c x",
            "ssh host",
            "psql -U app",
            "source x",
            "docker exec -it x y",
            "docker exec x sh -c y",
            "su - app -c y",
            "docker exec web bash -ex -c y",
            "docker exec web /bin/bash -o pipefail -ec y",
            "sudo bash -e -c y",
            "sudo -u app vi x",
            "nice -n 5 ssh host",
            "env A=b ./x bash -c y",
            "env -iS y",
            "runuser app --comm=y",
            "find / -exec sh -c y",
            "watch ls",
            "sh",
            "redis-cli",
        ] {
            assert!(wants_a_person(&words(line)).is_some(), "{line}");
        }
        for line in [
            "psql -c SELECT",
            "bash scripts/x.sh --cluster=c",
            "sudo bash -ex scripts/x.sh",
            "kubectl get pods -c bash",
            "top -bn1",
            "env",
        ] {
            assert_eq!(wants_a_person(&words(line)), None, "{line}");
        }
    }
}
