use std::path::Path;
use std::time::Instant;

use futures::FutureExt;
use kube::config::ExecConfig;

use super::*;

/// A plugin that counts its runs in a file and answers with `$1`; what stands in file `fail` it says on
/// stderr, and fails.
const SCRIPT: &str = r#"echo run >> "$0.runs"; sleep 0.05; [ -e "$0.fail" ] && { cat "$0.fail" >&2; exit 7; }; cat "$0.answer""#;

struct Room {
    folder: tempfile::TempDir,
    clock: Clock,
    credentials: Arc<Credentials>,
}

impl Room {
    fn new(answer: &str, deadline: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let exec = exec(folder.path(), SCRIPT);
        let clock = Clock::manual("2026-11-23T06:00:00Z".parse().unwrap());
        let credential = Credential::of(&AuthInfo { exec: Some(exec), ..AuthInfo::default() }).unwrap();
        let room = Self { credentials: Credentials::new(credential, clock.clone(), deadline), folder, clock };
        room.write("answer", answer);
        room
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(format!("plugin.{name}")), text).unwrap();
    }

    fn runs(&self) -> usize {
        std::fs::read_to_string(self.folder.path().join("plugin.runs")).unwrap_or_default().lines().count()
    }

    async fn ask(&self) -> Result<String, String> {
        let pass = self.credentials.pass().await.map_err(|error| error.to_string())?;
        Ok(pass.header.as_ref().map(|header| header.to_str().unwrap().to_owned()).unwrap_or_default())
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn exec(folder: &Path, script: &str) -> ExecConfig {
    let plugin = folder.join("plugin").display().to_string();
    ExecConfig {
        command: Some("sh".into()),
        args: Some(vec!["-c".into(), script.into(), plugin]),
        ..ExecConfig::default()
    }
}

fn token(token: &str, until: &str) -> String {
    format!(r#"{{"kind":"ExecCredential","status":{{"token":"{token}","expirationTimestamp":"{until}"}}}}"#)
}

const PATIENT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_plugin_runs_once_for_all_who_ask_and_once_an_expiry() {
    let room = Room::new(&token("one", "2026-11-23T06:15:00Z"), PATIENT);
    let all = futures::future::join_all((0..8).map(|_| room.ask())).await;
    assert!(all.iter().all(|answer| answer.as_deref() == Ok("Bearer one")), "{all:?}");
    assert_eq!(room.runs(), 1);
    room.write("answer", &token("two", "2026-11-23T06:30:00Z"));
    room.pass(13 * 60);
    assert_eq!((room.ask().await.as_deref(), room.runs()), (Ok("Bearer one"), 1));
    room.pass(90); // its last minute: renewed while it is still good for whoever asks
    assert_eq!(room.ask().await.as_deref(), Ok("Bearer one"));
    room.pass(60);
    let all = futures::future::join_all((0..8).map(|_| room.ask())).await;
    assert!(all.iter().all(|answer| answer.as_deref() == Ok("Bearer two")), "{all:?}");
    assert_eq!(room.runs(), 2);
}

#[tokio::test]
async fn who_is_impatient_does_not_run_it_twice() {
    let room = Room::new(&token("one", "2026-11-23T06:15:00Z"), PATIENT);
    assert!(room.ask().now_or_never().is_none());
    assert_eq!((room.ask().await.as_deref(), room.runs()), (Ok("Bearer one"), 1));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_then_left_alone_for_a_while() {
    let room = Room::new(r"status: {token: one}", PATIENT);
    let pass = room.credentials.pass().await.unwrap();
    room.pass(3600);
    room.write("answer", r"status: {token: two}");
    for _ in 0..8 {
        room.credentials.refuse(&pass);
        assert_eq!(
            room.ask().await.as_deref(),
            Ok("Bearer two"),
            "and what was refused before does not count against it"
        );
    }
    assert_eq!(room.runs(), 2);
    let pass = room.credentials.pass().await.unwrap();
    for (seconds, runs) in [(1, 2), (20, 2), (10, 3)] {
        room.pass(seconds);
        room.credentials.refuse(&pass);
        assert_eq!((room.ask().await.is_ok(), room.runs()), (true, runs), "after {seconds}");
    }
}

#[tokio::test]
async fn a_failing_plugin_is_told_by_its_last_word_and_not_tried_all_the_time() {
    let room = Room::new(&token("s3cret", "2026-11-23T06:15:00Z"), PATIENT);
    room.write("fail", "first\n\u{1b}[2Jlog in again\n\n");
    for _ in 0..8 {
        let said = room.ask().await.unwrap_err();
        assert!(
            said.contains("plugin sh failed (exit status: 7): ")
                && said.contains("log in again; run it in a shell"),
            "{said}"
        );
    }
    assert_eq!(room.runs(), 1);
    room.pass(31);
    std::fs::remove_file(room.folder.path().join("plugin.fail")).unwrap();
    assert_eq!((room.ask().await.as_deref(), room.runs()), (Ok("Bearer s3cret"), 2));
    room.write("fail", "down for a while");
    room.pass(14 * 60);
    assert_eq!(room.ask().await.as_deref(), Ok("Bearer s3cret"), "what still holds is used");
    let debug = format!("{:?}", room.credentials);
    assert!(!debug.contains("s3cret"), "{debug}");
}

#[tokio::test]
async fn a_plugin_that_hangs_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"sleep 600 & echo $! > "$0.pid"; wait"#;
    let plugin = Plugin::new(exec(folder.path(), script)).unwrap();
    let mut deadline = Duration::from_millis(300);
    let child: i32 = loop {
        let said = plugin.run(deadline).await.unwrap_err().to_string();
        assert!(said.contains("has not answered within"), "{said}");
        match std::fs::read_to_string(folder.path().join("plugin.pid")).unwrap_or_default().trim().parse() {
            Ok(child) => break child,
            Err(_not_begun) => deadline *= 2,
        }
    };
    let end = Instant::now() + Duration::from_secs(60);
    // A process that is dead and not yet buried by whoever inherits it still has its number.
    while std::fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(Instant::now() < end, "the plugin's child still runs");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_a_plugin_may_not_do_or_say_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("echo hello", "not an ExecCredential"),
        ("echo '{}'", "without a status"),
        ("echo '{\"status\":{}}'", "neither a token nor a certificate"),
        ("echo '{\"status\":{\"token\":\"x\",\"expirationTimestamp\":\"soon\"}}'", "no time"),
        ("exit 3", "it said nothing on stderr"),
    ];
    for (script, expected) in cases {
        let said =
            Plugin::new(exec(folder.path(), script)).unwrap().run(PATIENT).await.unwrap_err().to_string();
        assert!(said.contains(expected), "{script}: {said}");
    }
    let absent = ExecConfig {
        command: Some("/nowhere/plugin".into()),
        install_hint: Some("brew install it".into()),
        ..ExecConfig::default()
    };
    let said = Plugin::new(absent).unwrap().run(PATIENT).await.unwrap_err().to_string();
    assert!(said.contains("/nowhere/plugin is not there; brew install it"), "{said}");
    let asking = ExecConfig {
        interactive_mode: Some(kube::config::ExecInteractiveMode::Always),
        ..exec(folder.path(), "")
    };
    assert!(Plugin::new(asking).unwrap_err().to_string().contains("interactiveMode: Always"));
}

#[tokio::test]
async fn a_token_file_is_read_again_when_it_is_old_or_refused_and_may_be_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "one\n").unwrap();
    let clock = Clock::manual("2026-11-23T06:00:00Z".parse().unwrap());
    let credentials =
        Credentials::new(Credential::File { path: path.clone(), user: None }, clock.clone(), PATIENT);
    let shown = async || credentials.pass().await.unwrap().header.clone().unwrap();
    assert_eq!(shown().await, "Bearer one");
    std::fs::write(&path, "two").unwrap();
    assert_eq!(shown().await, "Bearer one");
    credentials.refuse(&credentials.pass().await.unwrap());
    assert_eq!(shown().await, "Bearer two");
    std::fs::write(&path, "three").unwrap();
    clock.advance(Duration::from_secs(61));
    assert_eq!(shown().await, "Bearer three");
    std::fs::remove_file(&path).unwrap();
    clock.advance(Duration::from_secs(61));
    assert_eq!(shown().await, "Bearer three");
    let never = Credentials::new(Credential::File { path, user: Some("me".into()) }, clock, PATIENT);
    assert!(never.pass().await.unwrap_err().to_string().contains("cannot be read"));
    assert_eq!(Credential::basic("me", "pass").unwrap(), "Basic bWU6cGFzcw==");
}
