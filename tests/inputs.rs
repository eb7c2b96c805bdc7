//! Whatever is typed for an input of whatever step is refused, or is one plain argument: no request goes to
//! another path for it, and a shell that is given the step's command runs nothing else.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use support::{RUNBOOK, Room, prepare};
use warroom::event::{Op, StepCall, Typed};
use warroom::runbook::{InputKind, Step, StepInput};
use warroom::sim::scenario::Scenario;

/// What somebody may type, and what a shell or a path would make of it.
fn hostile() -> Vec<String> {
    let some = [
        "; rm -rf /",
        "$(x)",
        "`x`",
        "--help",
        "🔥",
        "",
        " ",
        "../../../secrets",
        "a/../b",
        "a?x=y&z",
        "a%2Fb",
        "a\nb",
        "'\"\\",
        "a=b,c",
    ];
    some.map(str::to_owned).into_iter().chain(["x".repeat(10 << 10), "🔥".repeat(2 << 10)]).collect()
}

/// A value that fits, so that the other input is what it is about.
fn fitting(room: &Room, input: &StepInput) -> String {
    let first = |kind: &str| room.sim.list(kind)[0]["metadata"]["name"].as_str().unwrap().to_owned();
    match input.kind {
        InputKind::Deployment | InputKind::Workload | InputKind::Service => "medcontracthub-app".to_owned(),
        InputKind::Pod => first("Pod"),
        InputKind::Node => first("Node"),
        InputKind::Count | InputKind::Revision => "2".to_owned(),
        InputKind::Env => "A=b".to_owned(),
        InputKind::Span => "15m".to_owned(),
        InputKind::Text if *input.name == *"selector" => "app=x".to_owned(),
        _ => "x".to_owned(),
    }
}

fn call(room: &Room, step: &Step, about: &StepInput, value: &str) -> StepCall {
    let others = step.inputs.iter().filter(|input| input.required && input.name != about.name);
    let mut inputs: std::collections::BTreeMap<_, Typed> =
        others.map(|input| (input.name.clone(), input.kind.typed(&fitting(room, input)))).collect();
    inputs.insert(about.name.clone(), about.kind.typed(value));
    StepCall::new(step.id.clone(), inputs)
}

/// Nothing in a path is more than a name, and what is in a query is encoded.
fn is_plain(path: &str) -> bool {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let plain = |text: &str, more: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    let segments = path.split('/').skip(1).all(|part| !part.is_empty() && part != ".." && part != ".");
    path.len() < 600 && segments && plain(path, "/-._:") && plain(query, "-._~=&%")
}

#[tokio::test]
async fn whatever_is_typed_is_refused_or_one_plain_argument() {
    let mut room = Room::open(1, Scenario::Calm, |wanted| wanted).await;
    let [mut tried, mut planned] = [0, 0];
    for step in &RUNBOOK.steps {
        for input in &step.inputs {
            for value in hostile() {
                tried += 1;
                let call = call(&room, step, input, &value);
                let Ok(plan) = prepare(&mut room.session, call).await else { continue };
                planned += 1;
                let at = format!("{} {}={:.40?}", step.id, input.name, value);
                if input.kind != InputKind::Command {
                    check_command(plan.intent.command.to_copy().as_deref().unwrap_or_default(), &at);
                }
                if plan.intent.ops.iter().all(|op| matches!(op, Op::Look(_))) {
                    let id = room.session.confirm(&plan);
                    assert!(room.until(|session| session.answered(id)).await, "{at}");
                }
            }
        }
    }
    assert!(tried > 500 && planned > 50, "{planned} of {tried} were taken");
    let odd: Vec<String> =
        room.sim.requests().into_iter().map(|seen| seen.path).filter(|path| !is_plain(path)).collect();
    assert!(odd.is_empty(), "{odd:#?}");
    let changed: Vec<_> = room.writes();
    assert!(changed.is_empty(), "{changed:#?}");
}

/// A shell would see the words that are meant, and expand nothing.
fn check_command(command: &str, at: &str) {
    let words = shlex::split(command).unwrap_or_else(|| panic!("{at}: {command}"));
    assert!(
        !words.iter().any(|word| ["rm", "-rf", ";", "--help"].contains(&word.as_str())),
        "{at}: {command}"
    );
    let outside: String = command.split('\'').step_by(2).collect();
    assert!(!outside.contains("$(x)") && !outside.contains("`x`"), "{at}: {command}");
}
