//! How much a program can break, by its name and its words. What is not known to read may change something.

use super::draft::argument;
use super::lex::Word;
use crate::event::Danger;

/// Programs that only read, whatever their arguments.
const READERS: &[&str] = &[
    "cat",
    "date",
    "df",
    "dig",
    "dmesg",
    "du",
    "free",
    "grep",
    "head",
    "host",
    "hostname",
    "iostat",
    "journalctl",
    "ls",
    "lsof",
    "netstat",
    "nslookup",
    "ping",
    "ps",
    "pwd",
    "ss",
    "stat",
    "tail",
    "traceroute",
    "uname",
    "uptime",
    "vmstat",
    "wc",
    "whoami",
];

/// Programs with commands of their own.
const WITH_COMMANDS: &[&str] = &[
    "aws",
    "argocd",
    "az",
    "consul",
    "docker",
    "eksctl",
    "flux",
    "gcloud",
    "gh",
    "git",
    "helm",
    "istioctl",
    "kubectl",
    "nomad",
    "podman",
    "systemctl",
    "terraform",
    "vault",
    "velero",
];

/// Commands of these that only read.
const READS: &[&str] = &[
    "api-resources",
    "can-i",
    "cluster-info",
    "describe",
    "diff",
    "events",
    "explain",
    "get",
    "history",
    "images",
    "info",
    "inspect",
    "list",
    "log",
    "logs",
    "ls",
    "ps",
    "proxy-status",
    "show",
    "stats",
    "status",
    "top",
    "version",
    "wait",
];

/// Words of what cannot be taken back.
const DESTROYS: &[&str] = &[
    "delete",
    "destroy",
    "down",
    "drop",
    "flush",
    "flushall",
    "flushdb",
    "format",
    "kill",
    "migrate",
    "migration",
    "prune",
    "purge",
    "remove",
    "reset",
    "restore",
    "revert",
    "rm",
    "rollback",
    "terminate",
    "truncate",
    "uninstall",
    "wipe",
];

/// Programs that wait for somebody at a terminal.
const INTERACTIVE: &[&str] =
    &["emacs", "htop", "k9s", "less", "man", "more", "nano", "screen", "telnet", "tmux", "top", "vi", "vim"];

/// Words of a shell that mean nothing without one.
const BUILT_IN: &[&str] = &[
    ".", "alias", "bg", "eval", "exec", "fg", "history", "if", "jobs", "read", "source", "trap", "until",
    "wait", "while", "xargs",
];

/// Shells and their like, which are given a program as text.
const SHELLS: &[&str] = &["bash", "dash", "fish", "ksh", "powershell", "pwsh", "sh", "zsh"];

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

/// How much a program can break.
pub(super) fn danger(words: &[Word]) -> Danger {
    let texts: Vec<String> = words.iter().map(|word| argument(word).to_lowercase()).collect();
    let Some((program, rest)) = texts.split_first() else { return Danger::Read };
    let program = name(program);
    if READERS.contains(&program) {
        return Danger::Read;
    }
    if program == "curl" {
        return of_request(&words[1..].iter().map(argument).collect::<Vec<_>>());
    }
    let commands = rest.iter().filter(|word| !word.starts_with('-')).take(2);
    let reads = |word: &String| {
        READS.contains(&word.as_str())
            || word.starts_with("describe-")
            || word.starts_with("list-")
            || word.starts_with("get-")
    };
    if WITH_COMMANDS.contains(&program) && commands.clone().any(reads) {
        return Danger::Read;
    }
    if destroys(&texts) { Danger::Destructive } else { Danger::Change }
}

/// How much a request of curl can break, by its method and what it sends.
fn of_request(words: &[String]) -> Danger {
    let behind = |flag: &str| words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1));
    let joined = |word: &String| {
        word.strip_prefix("--request=").or_else(|| word.strip_prefix("-X")).map(str::to_owned)
    };
    let method =
        behind("-X").or_else(|| behind("--request")).cloned().or_else(|| words.iter().find_map(joined));
    let has = |flags: &[&str]| words.iter().any(|word| flags.contains(&word.as_str()));
    let sends = has(&["-d", "-F", "-T", "--form", "--upload-file"])
        || words.iter().any(|word| word.starts_with("--data"));
    match method.unwrap_or_else(|| "GET".to_owned()).to_uppercase().as_str() {
        "DELETE" => Danger::Destructive,
        "GET" | "HEAD" if !sends || has(&["-G", "--get"]) => Danger::Read,
        _ => Danger::Change,
    }
}

/// Whether a word says that something is taken away that does not come back.
pub(super) fn destroys(texts: &[String]) -> bool {
    let parts = texts.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    parts.map(str::to_lowercase).any(|part| DESTROYS.contains(&part.as_str()))
}

/// Words of an exec that change something, in databases and files.
const CHANGES: &[&str] = &[
    "alter",
    "config",
    "create",
    "grant",
    "insert",
    "set",
    "update",
    "write",
    "pg_terminate_backend",
    "pg_cancel_backend",
];

/// Whether a program that is run in a pod says that it changes something.
pub(super) fn changes(words: &[Word]) -> bool {
    let texts: Vec<String> = words.iter().map(|word| argument(word).to_lowercase()).collect();
    let parts = texts.iter().flat_map(|text| text.split(|c: char| !(c.is_alphanumeric() || c == '_')));
    destroys(&texts) || parts.clone().any(|part| CHANGES.contains(&part))
}

/// Why a program is nothing that can be run without a person.
pub(super) fn wants_a_person(words: &[Word]) -> Option<&'static str> {
    let named = name(words.first().and_then(Word::literal)?);
    let rest: Vec<String> = words[1..].iter().map(argument).collect();
    let flagged = |flags: &[&str]| {
        rest.iter().any(|word| flags.iter().any(|flag| word == flag || word.starts_with(&format!("{flag}="))))
    };
    let shell = |word: &str| SHELLS.contains(&name(word));
    let within = rest.windows(2).any(|pair| shell(&pair[0]) && is_inline(&pair[1]));
    if within || ((shell(named) || named == "su") && rest.iter().any(|word| is_inline(word))) {
        Some("a shell line, which is never run")
    } else if BUILT_IN.contains(&named) {
        Some("a word of a shell, which is never run")
    } else if named == "ssh" {
        Some("it is done on another machine")
    } else if INTERACTIVE.contains(&named) || flagged(&["-it", "-ti", "--tty", "--interactive"]) {
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

/// `-c`, `-lc`: a program as text follows.
fn is_inline(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
}

/// Whether a file is a script by its name.
pub(super) fn is_script(file: &str) -> bool {
    std::path::Path::new(file).extension().is_some_and(|extension| extension == "sh" || extension == "py")
}

/// The name of a program without its folder.
pub(super) fn name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
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
        ] {
            assert_eq!(danger(&words(line)), expected, "{line}");
        }
        assert!(changes(&words("psql -c DELETE")) && !changes(&words("psql -c SELECT")));
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
            "sh",
            "redis-cli",
        ] {
            assert!(wants_a_person(&words(line)).is_some(), "{line}");
        }
        for line in ["psql -c SELECT", "bash scripts/x.sh", "kubectl get pods"] {
            assert_eq!(wants_a_person(&words(line)), None, "{line}");
        }
    }
}
