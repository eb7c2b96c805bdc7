//! Whole sessions, with random keys and faults: what was recorded is what was lived through (invariant 2),
//! and an intent whose session was killed is found by the next one (invariant 5).

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use axum::http::Method;
use crossterm::event::{Event as Terminal, KeyCode, KeyEvent, KeyModifiers};
use ratatui::backend::TestBackend;
use warroom::data::Location;
use warroom::event::{Edit, Event, Outcome, SourceId, StepCall, View};
use warroom::journal::Limits;
use warroom::journal::{Item, Recording, Target, verify, world_hash};
use warroom::keymap::Keymap;
use warroom::reduce::reduce;
use warroom::runbook::Runbook;
use warroom::runtime::Keys;
use warroom::runtime::headless::Headless;
use warroom::runtime::player::{Player, decoded, world_of};
use warroom::session::SessionConfig;
use warroom::sim::NAMESPACE;
use warroom::sim::fault::{Fault, When};
use warroom::sim::scenario::Scenario;
use warroom::state::{Page, Stage, State, World};
use warroom::theme::Theme;
use warroom::view::{Hits, Look, view};

use support::chance::{Rng, seeds};
use support::{LIMIT, Room, for_each_seed, impatient, prepare, session, until, wanted};

/// What a person does in one session.
const GESTURES: usize = 20;
/// For an answer to what is prepared or sent: one that hangs is given up within the session, and a busy
/// machine's comes in time.
const DEADLINE: Duration = Duration::from_secs(1);

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys(vec![Keymap::load(&[]).unwrap().into()]));
static THEME: LazyLock<Theme> =
    LazyLock::new(|| Theme::load("dark", &Location::start_of("tests"), &[]).unwrap());

/// A person at a session.
struct Operator {
    room: Room,
    rng: Rng,
}

/// What a session came to, so that the test can tell that the sessions were not empty.
#[derive(Default)]
struct Told {
    segments: usize,
    intents: usize,
    answered: usize,
}

#[test]
fn two_hundred_sessions_are_replayed_as_they_were() {
    let told = for_each_seed("sessions", 0..seeds(24, 200), 8, live_through);
    let sum = |of: fn(&Told) -> usize| told.iter().map(of).sum::<usize>();
    let segments = sum(|t| t.segments);
    let intents = sum(|t| t.intents);
    let answered = sum(|t| t.answered);
    assert!(
        told.len() == 1 || (segments > told.len() * 2 && intents >= told.len() && answered >= told.len() / 2),
        "{segments} segments, {intents} intents, {answered} answered"
    );
}

async fn live_through(seed: u64) -> Told {
    let mut rng = Rng::new(seed);
    let limits = Limits { group: Duration::from_millis(5), segment: 1 << 12 };
    let room = Room::open(seed, *rng.pick(&Scenario::ALL), |wanted| SessionConfig {
        limits,
        deadline: DEADLINE,
        ..impatient(wanted)
    })
    .await;
    let mut operator = Operator { room, rng };
    let confirmed = operator.rng.below(GESTURES);
    for number in 0..GESTURES {
        operator.meddle();
        if number == confirmed {
            operator.confirmed_step().await;
        } else {
            operator.gesture().await;
        }
        let turns = operator.rng.below(6);
        operator.listen(turns).await;
    }
    if seed.is_multiple_of(2) {
        operator.answer().await;
    }
    let Operator { room, mut rng } = operator;
    let mut core = room.session.stop();
    let path = core.recording().unwrap().to_owned();
    core.seal().unwrap();
    let segments = check(&path, &core.state, &mut rng);
    let runs = || core.state.world.runs.all();
    Told { segments, intents: runs().count(), answered: runs().filter(|run| run.outcome.is_some()).count() }
}

impl Operator {
    /// Takes in what comes meanwhile.
    async fn listen(&mut self, turns: usize) {
        for _ in 0..turns {
            self.room.turn(Duration::from_millis(60)).await;
        }
    }

    /// Something goes wrong on the way to the servers, or comes right again.
    fn meddle(&mut self) {
        let sim = &self.room.sim;
        let faults = sim.faults();
        match self.rng.below(24) {
            0 => faults.random(self.rng.next(), 0.2),
            1 => faults.cut_watches(),
            2 => sim.compact(),
            3 => faults.freeze(),
            4 => faults.on(Method::PATCH, "", When::Nth(1), Fault::Hang { applied: true }),
            5 => drop(sim.recreate("Deployment", NAMESPACE, "ai-service")),
            6 | 7 => faults.clear(),
            8..=12 => faults.thaw(),
            _ => {}
        }
    }

    async fn gesture(&mut self) {
        match self.rng.below(10) {
            0 => self.resize(),
            1 => self.step().await,
            2 => self.command("arm"),
            3 => {
                let words = [
                    "disarm",
                    "stop-all",
                    "no such command",
                    "step scale",
                    "scale replicas=many",
                    "token=abc123 \u{1b}[31m\u{202e}x",
                ];
                let words = *self.rng.pick(&words);
                self.command(words);
            }
            4 => {
                self.press(KeyCode::Char('a'));
                self.enter("password=hunter2 seen on db-1, naïve \u{1f525}");
            }
            5 => self.input(&Terminal::Paste("two\nlines\t\u{7}".to_owned())),
            _ => (0..6).for_each(|_| self.random_key()),
        }
    }

    /// A step that is begun again, with the servers well and in the namespace of its deployments, until it is
    /// confirmed: how many are confirmed by chance depends on how long the servers take.
    async fn confirmed_step(&mut self) {
        let intents = |room: &Room| room.session.state().world.runs.all().count();
        let before = intents(&self.room);
        let end = Instant::now() + LIMIT;
        loop {
            self.step().await;
            if intents(&self.room) > before {
                return;
            }
            assert!(Instant::now() < end, "no step can be confirmed: {:?}", self.room.session.state().screen);
            self.heal();
            (0..4).for_each(|_| self.press(KeyCode::Esc));
            self.command(&format!("ns {NAMESPACE}"));
        }
    }

    /// Waits, with the servers well, until a change is answered.
    async fn answer(&mut self) {
        self.heal();
        let answered = |session: &Headless| session.state().world.runs.all().any(|run| run.outcome.is_some());
        assert!(self.room.until(answered).await, "no change is answered");
    }

    fn heal(&self) {
        let faults = self.room.sim.faults();
        faults.clear();
        faults.thaw();
    }

    /// A step from its command to its confirmation, left half-way now and then.
    async fn step(&mut self) {
        let steps = [
            format!("scale deployment=worker-service replicas={}", self.rng.below(6)),
            "scale deployment=ocr-service replicas=0".to_owned(),
            format!("set-env deployment=ai-service env=FEATURE_X={}", self.rng.below(9)),
            "rollout-undo deployment=medcontracthub-app".to_owned(),
        ];
        let command = self.rng.pick(&steps);
        (0..4).for_each(|_| self.press(KeyCode::Esc));
        self.press(KeyCode::Char('A'));
        self.command(command);
        let waits = |session: &Headless| matches!(session.state().screen.pages.last(), Some(Page::Form(form)) if form.waiting);
        assert!(self.room.until(|session| !waits(session)).await, "{command}: neither a plan nor a refusal");
        self.listen(4).await; // the first moments of a dialog take no key
        if self.rng.below(8) > 0 {
            self.press(KeyCode::Char('y'));
        }
        let screen = &self.room.session.state().screen;
        if let (Some(Page::Confirm(dialog)), Some(_)) = (screen.pages.last(), &screen.input) {
            let name = dialog.plan.intent.target.name.to_string();
            self.enter(&name);
        }
    }

    fn command(&mut self, words: &str) {
        self.press(KeyCode::Char(':'));
        self.enter(words);
    }

    fn enter(&mut self, text: &str) {
        text.chars().for_each(|c| self.press(KeyCode::Char(c)));
        self.press(KeyCode::Enter);
    }

    fn press(&mut self, code: KeyCode) {
        self.input(&Terminal::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    fn random_key(&mut self) {
        use KeyCode::{
            BackTab, Backspace, Char, Delete, Down, End, Enter, Esc, F, Home, Left, PageDown, PageUp, Right,
            Tab, Up,
        };
        let named = [
            BackTab,
            Backspace,
            Delete,
            Down,
            End,
            Enter,
            Esc,
            F(5),
            Home,
            Left,
            PageDown,
            PageUp,
            Right,
            Tab,
            Up,
            Char('ß'),
        ];
        let modifiers = [
            KeyModifiers::NONE,
            KeyModifiers::NONE,
            KeyModifiers::CONTROL,
            KeyModifiers::ALT,
            KeyModifiers::SHIFT,
        ];
        let printable = Char(char::from(u8::try_from(32 + self.rng.below(95)).unwrap()));
        let code = if self.rng.below(3) == 0 { *self.rng.pick(&named) } else { printable };
        let key = KeyEvent::new(code, *self.rng.pick(&modifiers));
        self.input(&Terminal::Key(key));
    }

    /// Another size, and a frame of it.
    fn resize(&mut self) {
        let columns = self.rng.below(220);
        let rows = self.rng.below(70);
        let size = (u16::try_from(columns).unwrap(), u16::try_from(rows).unwrap());
        self.input(&Terminal::Resize(size.0, size.1));
        let hits = Hits::default();
        let look = Look { theme: &THEME, keymap: &KEYS.0[0], before: &KEYS.0[0], ascii: false, hits: &hits };
        let mut terminal = ratatui::Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        terminal.draw(|terminal| view(&self.room.session.state().frame(), &look, terminal)).unwrap();
    }

    fn input(&mut self, input: &Terminal) {
        if let Some(event) = KEYS.read(self.room.session.state(), &Hits::default(), input) {
            self.room.session.take(event);
        }
    }
}

/// Reads a recording back in every way, and gives how many segments it has.
fn check(path: &Path, live: &State, rng: &mut Rng) -> usize {
    let report = verify::verify(path).unwrap();
    assert!(report.sealed && report.damaged.is_empty() && report.gaps.is_empty(), "{report:?}");
    let recording = Recording::open(path).unwrap();
    let (replayed, checkpoints) = replay(&recording, live.runbook.clone(), rng);
    same(&replayed, &live.world, "the end");
    let seq = *rng.pick(&checkpoints);
    same(&from_checkpoint(&recording, seq), &live.world, &format!("the end, from checkpoint {seq}"));
    if rng.below(4) == 0 {
        played(path, live, rng);
    }
    report.segments
}

/// Everything from the beginning, twice: by the bare fold, and by a viewer whose ticks and keys come between
/// the records. Gives the world and where the checkpoints are.
fn replay(recording: &Recording, runbook: Arc<Runbook>, rng: &mut Rng) -> (World, Vec<u64>) {
    let mut world = World::default();
    let mut viewer = State::new(recording.header().unwrap().at, runbook);
    let mut checkpoints = Vec::new();
    for item in recording.items() {
        match item {
            Item::Checkpoint(checkpoint) => {
                let recorded = world_of(&checkpoint).unwrap();
                same(&world, &recorded, &format!("checkpoint {}", checkpoint.seq));
                assert_eq!(world_hash(&world).unwrap(), checkpoint.hash, "checkpoint {}", checkpoint.seq);
                checkpoints.push(checkpoint.seq);
            }
            Item::Record(raw) => {
                let mut record = decoded(&raw).unwrap();
                world.fold(&record);
                reduce(&mut viewer, &record);
                record.event = look_around(rng);
                reduce(&mut viewer, &record);
            }
            Item::Gap(gap) => panic!("{gap:?}"),
        }
    }
    same(&viewer.world, &world, "the end, with a viewer");
    (world, checkpoints)
}

fn look_around(rng: &mut Rng) -> Event {
    Event::View(match rng.below(4) {
        0 => View::Resized {
            columns: u16::try_from(rng.below(300)).unwrap(),
            rows: u16::try_from(rng.below(100)).unwrap(),
        },
        1 => View::Edited(Edit::Insert("x".to_owned())),
        2 => View::Told("look".into()),
        _ => View::Tick,
    })
}

fn from_checkpoint(recording: &Recording, seq: u64) -> World {
    let mut items = recording.seek(Target::Seq(seq));
    let Some(Item::Checkpoint(first)) = items.next() else {
        panic!("no checkpoint at the place that was sought")
    };
    assert_eq!(first.seq, seq);
    let mut world = world_of(&first).unwrap();
    for item in items {
        if let Item::Record(raw) = item {
            world.fold(&decoded(&raw).unwrap());
        }
    }
    world
}

/// The replay as it is watched: there and back.
fn played(path: &Path, live: &State, rng: &mut Rng) {
    let mut player = Player::open(path, live.runbook.clone()).unwrap();
    player.finish();
    same(&player.state.world, &live.world, "the end of the replay");
    player.step(-i64::try_from(rng.below(usize::try_from(live.world.seq).unwrap())).unwrap());
    let seq = player.state.world.seq;
    let there = player.state.world.hash();
    player.rewind();
    player.step(i64::try_from(seq).unwrap());
    assert_eq!(
        (player.state.world.seq, player.state.world.hash()),
        (seq, there),
        "record {seq}, there and back"
    );
}

/// Equal worlds have equal hashes; of others the first difference is named.
fn same(one: &World, other: &World, place: &str) {
    if one.hash() != other.hash() {
        let values = [one, other].map(|world| serde_json::to_value(world).unwrap());
        panic!(
            "at {place} two worlds differ: {}",
            difference("", &values[0], &values[1]).unwrap_or_default()
        );
    }
}

fn difference(at: &str, one: &serde_json::Value, other: &serde_json::Value) -> Option<String> {
    match (one.as_object(), other.as_object()) {
        _ if one == other => None,
        (Some(a), Some(b)) if a.keys().eq(b.keys()) => {
            a.iter().find_map(|(key, value)| difference(&format!("{at}/{key}"), value, &b[key]))
        }
        _ => Some(format!("{at}: {one} and {other}")),
    }
}

/// A session is killed while the answer to its change hangs. The next one, and the one after that, which
/// finds that one killed too, say that it is unknown, and read what became of it.
#[test]
fn what_a_killed_session_left_unknown_is_read_by_the_next() {
    for_each_seed("sessions", 0..2, 2, |seed| killed_amid_a_change(seed, seed == 0));
}

async fn killed_amid_a_change(seed: u64, applied: bool) {
    let Room { sim, clock, data, session: mut running } =
        Room::open(seed, Scenario::Calm, |wanted| wanted).await;
    let inputs = [("deployment", "worker-service"), ("replicas", "3")]
        .map(|(name, value)| (name.into(), value.into()));
    let plan = prepare(&mut running, StepCall::new("scale", inputs.into())).await.unwrap();
    sim.faults().on(Method::PATCH, "/scale", When::Nth(1), Fault::Hang { applied });
    let id = running.confirm(&plan);
    let sent = || sim.requests().iter().filter(|request| !request.dry_run).count();
    assert!(until(&mut running, &clock, Duration::ZERO, |_| sent() > 0).await, "nothing was sent");
    for _ in 0..2 {
        drop(running);
        running = session(wanted(&sim), &clock, data.path()).await;
        assert!(
            until(&mut running, &clock, Duration::ZERO, |session| session.run(id).is_some()).await,
            "it was not taken over"
        );
        let stage = &running.run(id).unwrap().stage;
        assert!(
            matches!(stage, Stage::Unknown(why) if why.contains("ended before the answer came")),
            "{stage:?}"
        );
    }
    assert!(
        until(&mut running, &clock, Duration::from_millis(100), |session| session.answered(id)).await,
        "unknown for ever"
    );
    let outcome = running.run(id).and_then(|run| run.outcome.clone()).unwrap();
    match outcome {
        Outcome::Applied { by_reading: true, .. } => assert!(applied),
        Outcome::Rejected { by_reading: true, .. } => assert!(!applied),
        other => panic!("{other:?}"),
    }
    assert_eq!(sent(), 1, "sent again");
    drop(running);
    let mut after = session(wanted(&sim), &clock, data.path()).await;
    assert!(
        until(&mut after, &clock, Duration::ZERO, |session| session.heard(SourceId::ALL)).await,
        "it hears nothing"
    );
    assert!(after.run(id).is_none(), "what is settled is not handed on");
}

/// A session is killed while a command runs in a container: there is nothing to find out, and the next one
/// says that its output is missing.
#[test]
fn what_a_killed_session_was_reading_is_told_by_the_next() {
    for_each_seed("sessions", 0..1, 1, killed_amid_a_look);
}

async fn killed_amid_a_look(seed: u64) {
    let Room { sim, clock, data, session: mut running } =
        Room::open(seed, Scenario::Calm, |wanted| wanted).await;
    let inputs = [("workload", "worker-service"), ("command", "true")]
        .map(|(name, value)| (name.into(), value.into()));
    let plan = prepare(&mut running, StepCall::new("exec-check", inputs.into())).await.unwrap();
    sim.faults().on(Method::GET, "/exec", When::Nth(1), Fault::Hang { applied: false });
    let id = running.confirm(&plan);
    let asked = |session: &Headless| session.run(id).is_some_and(|run| run.stage == Stage::Sent);
    assert!(until(&mut running, &clock, Duration::ZERO, asked).await, "it never asked");
    drop(running);
    let mut next = session(wanted(&sim), &clock, data.path()).await;
    let told = |session: &Headless| {
        let mut entries = session.state().world.timeline.entries().iter();
        entries.any(|entry| {
            entry.text.contains("ended before the answer to")
                && entry.text.contains("its output is not known")
        })
    };
    assert!(until(&mut next, &clock, Duration::ZERO, told).await, "nobody says so");
    assert!(next.run(id).is_none(), "there is nothing to be found out");
}

/// What was typed as the value of a variable is nowhere in the recording: in a command, in a mistyped one, in
/// a form, in a note.
#[test]
fn values_of_variables_are_not_recorded() {
    for_each_seed("sessions", 0..1, 1, |seed| async move {
        let room = Room::open(seed, Scenario::Calm, |wanted| wanted).await;
        let mut operator = Operator { room, rng: Rng::new(seed) };
        operator.command("set-env deployment=ai-service env=DB_PASSWORD=hunter2,PLAIN=topsecretvalue");
        let asked = |session: &Headless| {
            session.state().screen.pages.iter().any(|overlay| matches!(overlay, Page::Confirm(_)))
        };
        let Operator { room, .. } = &mut operator;
        assert!(
            until(&mut room.session, &room.clock, Duration::ZERO, asked).await,
            "{:?}",
            room.session.state().screen.pages
        );
        operator.press(KeyCode::Esc);
        let slips = [
            "set-env deployment=ai-service PLAIN=topsecretvalue",
            "set-env env=A=some topsecretvalue",
            "set-env env='A=topsecretvalue",
        ];
        for line in slips {
            operator.command(line);
        }
        operator.command("setenv env=PLAIN=topsecretvalue");
        operator.command("step set-env");
        operator.enter("ai-service");
        operator.enter("DB_PASSWORD=hunter2,PLAIN=topsecretvalue");
        (0..4).for_each(|_| operator.press(KeyCode::Esc));
        operator.press(KeyCode::Char('a'));
        operator.enter("somebody ran env=PLAIN=topsecretvalue");
        let mut core = operator.room.session.stop();
        let path = core.recording().unwrap().to_owned();
        core.seal().unwrap();
        let recorded = recorded(&path);
        assert!(recorded.contains("PLAIN=") && recorded.contains("somebody ran"), "{recorded}");
        for value in ["hunter2", "topsecretvalue"] {
            assert!(
                !recorded.contains(value),
                "{value} is recorded: {:?}",
                recorded.lines().find(|line| line.contains(value))
            );
        }
    });
}

/// All that is on disk of a recording.
fn recorded(path: &Path) -> String {
    let files = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let text = |file: std::path::PathBuf| {
        let bytes = std::fs::read(&file).unwrap();
        let closed = file.extension().is_some_and(|extension| extension == "zst");
        if closed { zstd::decode_all(&bytes[..]).unwrap() } else { bytes }
    };
    files.map(|file| String::from_utf8_lossy(&text(file)).into_owned()).collect()
}
