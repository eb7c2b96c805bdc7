//! The program in a terminal of its own: keys in, bytes and screen out.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

use super::Home;
use super::home::WARROOM;

/// How long anything may take that is not said to take longer; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// Columns and rows: enough to show every pane in full.
const SIZE: (u16, u16) = (200, 60);

/// What the program has written so far.
struct Shown {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    /// Nobody has the terminal open any more.
    over: bool,
    /// The test has hung up: the reader is to let go of the terminal.
    hung_up: bool,
}

type Shared = Arc<(Mutex<Shown>, Condvar)>;

/// A terminal with a program in it; what still runs when this is dropped is killed.
pub struct Term {
    shared: Shared,
    line: Option<(Box<dyn MasterPty + Send>, Box<dyn Write + Send>)>,
    reader: Option<JoinHandle<()>>,
    ended: Receiver<ExitStatus>,
    pub(super) pid: Pid,
    /// The terminal's modes before the program had it, as text.
    modes: String,
    alive: bool,
}

impl Term {
    /// `warroom ARGS` in a terminal of [`SIZE`].
    pub fn run(home: &Home, args: &[&str]) -> Self {
        Self::start(home, &[&[WARROOM], args].concat(), true)
    }

    /// A script of `sh` in which `$WARROOM` is the program.
    pub fn shell(home: &Home, script: &str) -> Self {
        Self::start(home, &["sh", "-c", script], true)
    }

    /// `warroom ARGS` in a terminal that is not its controlling one: no SIGHUP comes when it hangs up, and no
    /// SIGWINCH.
    pub fn detached(home: &Home, args: &[&str]) -> Self {
        Self::start(home, &[&[WARROOM], args].concat(), false)
    }

    fn start(home: &Home, argv: &[&str], controlling: bool) -> Self {
        let (cols, rows) = SIZE;
        let size = PtySize { rows, cols, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).unwrap();
        let modes = format!("{:?}", pair.master.get_termios().unwrap());
        let mut command = CommandBuilder::from_argv(argv.iter().map(Into::into).collect());
        command.env_clear();
        home.env().iter().for_each(|(name, value)| command.env(name, value));
        command.env("WARROOM", WARROOM);
        command.cwd(home.path(""));
        command.set_controlling_tty(controlling);
        let mut child = pair.slave.spawn_command(command).unwrap();
        let pid = Pid::from_raw(i32::try_from(child.process_id().unwrap()).unwrap()).unwrap();
        let (tell, ended) = channel();
        thread::spawn(move || tell.send(child.wait().unwrap()));
        let shown = Shown {
            parser: vt100::Parser::new(rows, cols, 0),
            bytes: Vec::new(),
            over: false,
            hung_up: false,
        };
        let shared: Shared = Arc::new((Mutex::new(shown), Condvar::new()));
        let output = pair.master.try_clone_reader().unwrap();
        let theirs = Arc::clone(&shared);
        let reader = Some(thread::spawn(move || read(output, &theirs)));
        let input = pair.master.take_writer().unwrap();
        Self { shared, line: Some((pair.master, input)), reader, ended, pid, modes, alive: true }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shared.0.lock().unwrap()
    }

    /// What is on the screen.
    pub fn text(&self) -> String {
        self.shown().parser.screen().contents()
    }

    /// Everything that was ever written to the terminal.
    pub fn bytes(&self) -> Vec<u8> {
        self.shown().bytes.clone()
    }

    /// Types.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        let (_, input) = self.line.as_mut().unwrap();
        input.write_all(keys.as_bytes()).unwrap();
        input.flush().unwrap();
        self
    }

    /// Waits until the screen is so.
    pub fn until(&self, what: &str, limit: Duration, is: impl Fn(&str) -> bool) {
        let seen = self.reaches(limit, &is);
        assert!(seen, "never seen: {what}\n{}", self.text());
    }

    fn reaches(&self, limit: Duration, is: &dyn Fn(&str) -> bool) -> bool {
        let end = Instant::now() + limit;
        let mut shown = self.shown();
        while !is(&shown.parser.screen().contents()) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || shown.over {
                return false;
            }
            shown = self.shared.1.wait_timeout(shown, left).unwrap().0;
        }
        true
    }

    /// Waits until the text is on the screen.
    pub fn sees(&mut self, text: &str) -> &mut Self {
        self.sees_within(PATIENCE, text)
    }

    pub fn sees_within(&mut self, limit: Duration, text: &str) -> &mut Self {
        self.until(text, limit, |screen| screen.contains(text));
        self
    }

    /// Waits until the text is not on the screen any more.
    pub fn loses(&mut self, text: &str) -> &mut Self {
        self.until(&format!("no {text}"), PATIENCE, |screen| !screen.contains(text));
        self
    }

    /// Presses again and again until the text is not on the screen any more: for keys that are dead for a
    /// moment.
    pub fn press_away(&mut self, keys: &str, text: &str) -> &mut Self {
        let end = Instant::now() + PATIENCE;
        while !self.press(keys).reaches(Duration::from_millis(400), &|screen| !screen.contains(text)) {
            assert!(Instant::now() < end, "still there: {text}\n{}", self.text());
        }
        self
    }

    /// Presses a key that moves the selection, and gives how long it took until it was seen to have moved:
    /// rows change their texts by themselves, the background of the selected one does not.
    pub fn moves(&mut self, key: &str) -> Duration {
        let before = backgrounds(self.shown().parser.screen());
        let pressed = Instant::now();
        self.press(key);
        let mut shown = self.shown();
        while backgrounds(shown.parser.screen()) == before {
            let left = PATIENCE.saturating_sub(pressed.elapsed());
            assert!(!left.is_zero(), "{key:?} moves nothing\n{}", shown.parser.screen().contents());
            shown = self.shared.1.wait_timeout(shown, left).unwrap().0;
        }
        pressed.elapsed()
    }

    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        let (master, _) = self.line.as_ref().unwrap();
        if columns >= 20 && rows >= 5 {
            // smaller ones are no size for the parser
            self.shown().parser.screen_mut().set_size(rows, columns);
        }
        master.resize(PtySize { rows, cols: columns, ..PtySize::default() }).unwrap();
        self
    }

    pub fn signal(&mut self, signal: Signal) -> &mut Self {
        kill_process(self.pid, signal).unwrap();
        self
    }

    /// Waits until something more is written.
    pub fn draws(&mut self) -> &mut Self {
        let shown = self.shown();
        let before = shown.bytes.len();
        let waited =
            self.shared.1.wait_timeout_while(shown, PATIENCE, |shown| shown.bytes.len() == before).unwrap();
        assert!(!waited.1.timed_out(), "nothing is drawn any more");
        drop(waited);
        self
    }

    /// Closes the terminal's window. The reader lets go of it with the next frame.
    pub fn hang_up(&mut self) -> &mut Self {
        self.shown().hung_up = true;
        self.reader.take().unwrap().join().unwrap();
        self.line = None;
        self
    }

    /// Waits for the end of the program, and of its output.
    pub fn ends_within(&mut self, limit: Duration) -> ExitStatus {
        let status =
            self.ended.recv_timeout(limit).unwrap_or_else(|_| panic!("it did not end\n{}", self.text()));
        self.alive = false;
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        status
    }

    pub fn ends(&mut self) -> ExitStatus {
        self.ends_within(PATIENCE)
    }

    /// Whether the terminal is as it was before the program had it.
    pub fn assert_given_back(&self) {
        let shown = self.shown();
        let screen = shown.parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen was not left");
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste is on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert_eq!(self.modes(), self.modes);
    }

    /// The terminal's modes now, as text.
    fn modes(&self) -> String {
        let (master, _) = self.line.as_ref().unwrap();
        format!("{:?}", master.get_termios().unwrap())
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        if self.alive {
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }
}

/// The background of each row of the first pane.
fn backgrounds(screen: &vt100::Screen) -> Vec<Option<vt100::Color>> {
    (0..screen.size().0).map(|row| screen.cell(row, 4).map(vt100::Cell::bgcolor)).collect()
}

fn read(mut output: Box<dyn Read + Send>, shared: &Shared) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let got = output.read(&mut buffer).unwrap_or(0);
        let mut shown = shared.0.lock().unwrap();
        shown.parser.process(&buffer[..got]);
        shown.bytes.extend_from_slice(&buffer[..got]);
        shown.over = got == 0;
        let last = shown.over || shown.hung_up;
        shared.1.notify_all();
        if last {
            return;
        }
    }
}
