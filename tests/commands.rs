//! Programs of this machine as steps: what they are given and what not, what is kept of what they print, how
//! they end, and what keeps one from being run.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod pty;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Child;
use std::time::{Duration, Instant};

use pty::{Cluster, Home, Ran, Term};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Longer than anything here takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A cluster whose home has one step, `ours`, of this danger: a shell script that is given what stands in
/// `with` besides, and these inputs.
fn room(danger: &str, script: &str, argv: &[&str], with: &str, inputs: &str) -> Cluster {
    let cluster = Cluster::calm();
    let file = executable(&cluster.home, "ours.sh", script);
    let argv: Vec<&str> = [file.as_str()].into_iter().chain(argv.iter().copied()).collect();
    step(&cluster.home, danger, &format!("argv = {}{with}", json!(argv)), inputs);
    cluster
}

fn executable(home: &Home, name: &str, script: &str) -> String {
    let path = home.write(name, &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

fn step(home: &Home, danger: &str, with: &str, inputs: &str) {
    let text = format!(
        "[[steps]]\nid = 'ours'\ntitle = 'Ours'\ndanger = '{danger}'\nkind = 'command'\nwith = {{ {with} }}\ninputs = [{inputs}]\n"
    );
    home.write("config/runbooks/ours.toml", &text);
}

/// Runs the step with these inputs and flags, and gives its exit code and its JSON.
fn run(cluster: &Cluster, inputs: &[&str], flags: &[&str]) -> (i32, Value) {
    let set = inputs.iter().flat_map(|input| ["--set", input]);
    let args: Vec<&str> =
        ["run", "ours", "--json"].into_iter().chain(set).chain(flags.iter().copied()).collect();
    let ran: Ran = cluster.run(&args);
    (ran.code, ran.json())
}

fn lines(told: &Value) -> Vec<&str> {
    told["output"]["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
}

/// Waits until a file is there, and gives its text.
fn written(home: &Home, name: &str) -> String {
    let end = Instant::now() + LIMIT;
    loop {
        match fs::read_to_string(home.path(name)) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => assert!(Instant::now() < end, "{name} is never written"),
        }
        std::thread::yield_now();
    }
}

/// Waits until the process whose number stands in a file is dead; one that nobody has buried is.
fn dies(home: &Home, name: &str) {
    let stat = format!("/proc/{}/stat", written(home, name));
    let end = Instant::now() + LIMIT;
    while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(Instant::now() < end, "{name} still runs");
        std::thread::yield_now();
    }
}

/// Never ends, and starts one that never does.
const ENDLESS: &str = r#"
cd "$HOME"
echo run >> runs
echo begun
sleep 600 & echo $! > child.part && mv child.part child
echo $$ > leader.part && mv leader.part leader
wait"#;

#[test]
fn inputs_are_plain_arguments_whatever_they_hold() {
    let kinds = [
        "deployment",
        "workload",
        "pod",
        "node",
        "service",
        "namespace",
        "revision",
        "count",
        "alert",
        "labels",
        "span",
        "silence",
        "command",
        "text",
    ];
    let inputs: Vec<String> = kinds
        .iter()
        .map(|kind| format!("{{ name = 'in-{kind}', kind = '{kind}', required = true }}"))
        .collect();
    let words: Vec<String> =
        kinds.iter().flat_map(|kind| [format!("--x={{in-{kind}}}"), format!("{{in-{kind}}}")]).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let cluster = room("read", r#"printf '%s\n' "$#" "$@""#, &words, "", &inputs.join(", "));
    let long = "x".repeat(10_000);
    for value in ["; touch pwned", "$(touch pwned)", "🔥 a  b", "it's \"so\"", &long] {
        let set: Vec<String> = kinds.iter().map(|kind| format!("in-{kind}={value}")).collect();
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let (code, told) = run(&cluster, &set, &[]);
        assert_eq!((code, &told["outcome"]), (0, &json!("read")), "{value}: {told}");
        let shown: String = value.chars().take(396).collect();
        let printed = lines(&told);
        assert_eq!(printed[0], (2 * kinds.len()).to_string(), "{value}: {told}");
        assert!(
            printed[1..].iter().all(|line| line.strip_prefix("--x=").unwrap_or(line).starts_with(&shown))
        );
    }
    assert!(!cluster.home.path("pwned").exists());
    for (kind, value) in kinds.iter().flat_map(|kind| [(kind, "--help"), (kind, "")]) {
        let others = kinds.iter().filter(|other| *other != kind).map(|other| format!("in-{other}=1"));
        let set: Vec<String> = others.chain([format!("in-{kind}={value}")]).collect();
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let (code, told) = run(&cluster, &set, &[]);
        let reason = told["reason"].as_str().unwrap();
        let why = if value.is_empty() {
            format!("ours needs in-{kind}")
        } else {
            format!("in-{kind} is \"--help\"")
        };
        assert!(code == 2 && reason.starts_with(&why), "{kind}: {told}");
    }
}

#[test]
fn a_choice_is_one_of_those_that_the_runbook_names() {
    let input = "{ name = 'size', kind = 'choice', choices = ['small', 'large'], default = 'small' }";
    let cluster = room("read", r#"echo "$1""#, &["{size}"], "", input);
    assert_eq!(lines(&run(&cluster, &[], &[]).1), ["small"]);
    assert_eq!(lines(&run(&cluster, &["size=large"], &[]).1), ["large"]);
    let (code, told) = run(&cluster, &["size=huge"], &[]);
    assert_eq!((code, &told["reason"]), (2, &json!("size is \"huge\": give one of small, large")));
}

#[test]
fn it_gets_the_variables_that_are_named_and_no_others_and_nothing_to_read() {
    let cluster = room("read", "cat; env | sort", &[], ", env = ['OURS', 'NOT_SET', 'API_TOKEN']", "");
    let mut command = cluster.home.command(&cluster.args(&["run", "ours", "--json"]));
    command.env("OURS", "1").env("THEIRS", "2").env("API_TOKEN", "hunter2hunter2");
    let ran = Ran::of(command.output().unwrap());
    let told = ran.json();
    let names: Vec<&str> = lines(&told).iter().map(|line| line.split('=').next().unwrap()).collect();
    // PWD, SHLVL and _ are the shell's own.
    let given: Vec<&str> =
        names.into_iter().filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name)).collect();
    assert_eq!(given, ["API_TOKEN", "HOME", "KUBECONFIG", "LANG", "OURS", "PATH", "USER"], "{told}");
    assert!(!ran.out.contains("hunter2"), "{told}");
}

#[test]
fn preflight_says_what_would_run_and_what_is_missing() {
    let cluster = room("change", "echo run >> \"$HOME/runs\"", &[], ", env = ['NOT_SET'], seconds = 7", "");
    let file = cluster.home.path("ours.sh").display().to_string();
    let (code, told) = run(&cluster, &[], &["--dry-run"]);
    let facts: Vec<String> = told["facts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fact| format!("{}: {}", fact["about"].as_str().unwrap(), fact["words"].as_str().unwrap()))
        .collect();
    assert_eq!((code, &told["dry_run"]["is"], &told["undo"]), (0, &json!("none"), &Value::Null), "{told}");
    assert!(facts.contains(&format!("runs: {file}, without a shell")), "{facts:?}");
    assert!(facts.contains(&"variables: PATH, HOME, LANG, USER, KUBECONFIG".to_owned()), "{facts:?}");
    assert!(facts.contains(&"not set: TMPDIR, NOT_SET".to_owned()), "{facts:?}");
    assert!(facts.contains(&"time: 7 s at the most, then it is ended".to_owned()), "{facts:?}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = |with: &str| {
        step(&cluster.home, "change", with, "");
        let (code, told) = run(&cluster, &[], &["--yes"]);
        assert_eq!((code, &told["outcome"]), (1, &json!("not_sent")), "{told}");
        told["reason"].as_str().unwrap().to_owned()
    };
    assert!(refused(&format!("argv = ['{file}']")).contains("ours.sh is not executable"));
    let folder = cluster.home.path("").display().to_string();
    let why = refused(&format!("argv = ['./scripts/none.sh'], folder = '{folder}'"));
    assert!(why.contains("scripts/none.sh is not there"), "{why}");
    let why = refused("argv = ['no-such-program']");
    assert!(why.starts_with("no-such-program is not installed: looked for it in /"), "{why}");
    assert!(refused("argv = ['true'], folder = '/nowhere'").starts_with("/nowhere is no folder"));
    assert!(!cluster.home.path("runs").exists());
}

#[test]
fn a_relative_program_is_looked_for_in_the_folder_that_it_runs_in() {
    let cluster = Cluster::calm();
    executable(&cluster.home, "scripts/ours.sh", "pwd");
    step(&cluster.home, "read", "argv = ['./scripts/ours.sh']", "");
    let mut command = cluster.home.command(&cluster.args(&["run", "ours", "--json"]));
    let ran = Ran::of(command.current_dir(cluster.home.path("")).output().unwrap());
    let here = fs::canonicalize(cluster.home.path("")).unwrap();
    assert_eq!(lines(&ran.json()), [here.display().to_string()], "{ran:?}");
}

#[test]
fn a_change_is_confirmed_and_runs_once() {
    let script = "echo \"$1\" >> \"$HOME/runs\"; echo done";
    let cluster = room(
        "change",
        script,
        &["--to={to}"],
        ", typed = 'to'",
        "{ name = 'to', kind = 'text', required = true }",
    );
    let to = ["to=v1"];
    for flags in
        [&[][..], &["--yes"], &["--yes", "--confirm", "v2"], &["--read-only", "--yes", "--confirm", "v1"]]
    {
        let (code, told) = run(&cluster, &to, flags);
        assert_eq!((code, &told["outcome"]), (3, &json!("not_sent")), "{flags:?}: {told}");
    }
    assert!(!cluster.home.path("runs").exists());
    let (code, told) = run(&cluster, &to, &["--yes", "--confirm", "v1"]);
    assert_eq!((code, &told["outcome"], &told["verify"]), (0, &json!("applied"), &Value::Null), "{told}");
    assert_eq!((lines(&told), &told["output"]["exit"]), (vec!["done"], &json!(0)), "{told}");
    assert_eq!(fs::read_to_string(cluster.home.path("runs")).unwrap(), "--to=v1\n");
    assert_eq!(cluster.writes(), []);
}

#[test]
fn one_that_fails_has_changed_nobody_knows_what() {
    let cluster = room("change", "echo half; echo 'no more' >&2; exit 3", &[], "", "");
    let (code, told) = run(&cluster, &[], &["--yes"]);
    assert_eq!((code, &told["outcome"], &told["writes"]), (1, &json!("partial"), &json!(0)), "{told}");
    assert_eq!(told["reason"], json!("exit 3: what it changed is not known"), "{told}");
    assert_eq!((lines(&told), &told["output"]["exit"]), (vec!["half", "no more"], &json!(3)), "{told}");
    let cluster = room("read", "echo no; exit 3", &[], "", "");
    let (code, told) = run(&cluster, &[], &[]);
    assert_eq!((code, &told["outcome"], &told["output"]["exit"]), (1, &json!("read"), &json!(3)), "{told}");
    let cluster = room("change", "kill -KILL $$", &[], "", "");
    let (code, told) = run(&cluster, &[], &["--yes"]);
    assert_eq!(
        (code, &told["outcome"], &told["reason"]),
        (4, &json!("unknown"), &json!("ended by signal 9"))
    );
}

#[test]
fn output_is_bounded_and_clean() {
    let cluster = room("read", "head -c 1073741824 /dev/zero", &[], "", "");
    let (code, told) = run(&cluster, &[], &[]);
    assert_eq!((code, &told["output"]["exit"]), (0, &json!(0)), "{told}");
    assert!(told["output"]["cut"].as_str().unwrap().starts_with("only the first 32 KiB"), "{told}");
    assert!(told.to_string().len() < 100_000);
    let script = r"printf 'a\033[2Jb\377c\n'; printf 'password=hunter2\n'; printf '\033]52;c;eA==\007' >&2";
    let cluster = room("read", script, &[], "", "");
    let (code, told) = run(&cluster, &[], &[]);
    assert_eq!(code, 0, "{told}");
    assert_eq!(lines(&told).len(), 3, "{told}");
    let text = lines(&told).join("\n");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}') && text.contains('\u{fffd}'), "{text:?}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn what_a_program_leaves_behind_does_not_hold_it_up() {
    let cluster = room("change", "sleep 600 & echo $! > \"$HOME/child\"; echo done", &[], "", "");
    let (code, told) = run(&cluster, &[], &["--yes"]);
    assert_eq!((code, &told["outcome"], lines(&told)), (0, &json!("applied"), vec!["done"]), "{told}");
    assert!(told["output"]["cut"].as_str().unwrap().contains("still runs"), "{told}");
    let child: i32 = written(&cluster.home, "child").parse().unwrap();
    kill_process(Pid::from_raw(child).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn one_that_never_ends_is_ended_with_all_that_it_started() {
    for (danger, flags, script) in [
        ("change", &["--yes"][..], format!("trap '' TERM\n{ENDLESS}")),
        ("read", &[][..], ENDLESS.to_owned()),
    ] {
        let cluster = room(danger, &script, &[], ", seconds = 2", "");
        let (code, told) = run(&cluster, &[], flags);
        let (outcome, exit) = if danger == "read" { ("read", 1) } else { ("unknown", 4) };
        assert_eq!((code, &told["outcome"], lines(&told)), (exit, &json!(outcome), vec!["begun"]), "{told}");
        assert!(told["reason"].as_str().unwrap().starts_with("not ended within 2 s"), "{told}");
        dies(&cluster.home, "leader");
        dies(&cluster.home, "child");
    }
}

/// Starts the step, and waits until it runs.
fn started(cluster: &Cluster) -> Child {
    let mut command = cluster.home.command(&cluster.args(&["run", "ours", "--yes", "--json"]));
    let warroom = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn();
    written(&cluster.home, "leader");
    warroom.unwrap()
}

fn signal(warroom: &Child, signal: Signal) {
    kill_process(Pid::from_child(warroom), signal).unwrap();
}

#[test]
fn a_signal_to_warroom_stops_what_it_runs() {
    let cluster = room("change", ENDLESS, &[], ", seconds = 600", "");
    let warroom = started(&cluster);
    signal(&warroom, Signal::INT);
    let ran = Ran::of(warroom.wait_with_output().unwrap());
    let told = ran.json();
    assert_eq!((ran.code, &told["outcome"], lines(&told)), (4, &json!("unknown"), vec!["begun"]), "{told}");
    assert!(told["reason"].as_str().unwrap().starts_with("stopped"), "{told}");
    dies(&cluster.home, "leader");
    dies(&cluster.home, "child");
}

#[test]
fn what_a_killed_warroom_ran_is_told_at_the_next_start_and_not_run_again() {
    let cluster = room("change", ENDLESS, &[], ", seconds = 600", "");
    let mut warroom = started(&cluster);
    signal(&warroom, Signal::KILL);
    warroom.wait().unwrap();
    let mut term = Term::run(&cluster.home, &cluster.args(&[]));
    term.sees("worker-service").press("4z").sees("what it changed is unknown, and it may still run");
    assert_eq!(fs::read_to_string(cluster.home.path("runs")).unwrap(), "run\n");
    for name in ["leader", "child"] {
        let pid = written(&cluster.home, name).parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    }
}

/// Arms, begins the step, and goes ahead.
fn confirmed(term: &mut Term) {
    term.sees("worker-service").press("A").sees("ARMED");
    term.press(":ours\r").sees("as a command").press_away("y", "as a command");
}

#[test]
fn its_output_is_seen_while_it_runs_and_a_key_stops_it() {
    let cluster = room("change", ENDLESS, &[], ", seconds = 600", "");
    let mut term = Term::run(&cluster.home, &cluster.args(&[]));
    confirmed(&mut term);
    term.sees("output so far").sees("begun");
    written(&cluster.home, "leader");
    term.press("\u{18}").sees("no exit code").sees("stopped: it was ended").loses("output so far");
    dies(&cluster.home, "leader");
    dies(&cluster.home, "child");
}

#[test]
fn leaving_ends_what_runs_and_records_it() {
    let cluster = room("change", ENDLESS, &[], ", seconds = 600", "");
    let mut term = Term::run(&cluster.home, &cluster.args(&[]));
    confirmed(&mut term);
    written(&cluster.home, "leader");
    term.signal(Signal::TERM).ends();
    dies(&cluster.home, "leader");
    dies(&cluster.home, "child");
    assert!(cluster.home.sealed().exists(), "nothing is left to find out");
}

#[test]
fn mistakes_of_a_runbook_are_told_with_their_place() {
    let home = Home::new();
    step(&home, "change", "argv = ['eksctl', '--nodes={nodse}']", "{ name = 'nodes', kind = 'count' }");
    let ran = home.run(&["check"]);
    let place = "ours.toml:6:8: no such input \"nodse\"; did you mean \"nodes\"?";
    assert!(ran.code == 2 && format!("{}{}", ran.out, ran.err).contains(place), "{ran:?}");
    step(&home, "change", "seconds = 3", "");
    let ran = home.run(&["check"]);
    assert!(ran.code == 2 && format!("{}{}", ran.out, ran.err).contains("\"argv\" is missing"), "{ran:?}");
}
