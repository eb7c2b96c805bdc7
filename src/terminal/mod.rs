//! The terminal: taken once, given back as it was on every way out: exit, error, panic, signal, suspension.

mod capabilities;

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::mem::ManuallyDrop;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};
use ratatui::{Frame, Terminal};

use crate::event::CallBy;
use capabilities::Capabilities;

/// Presses and the wheel, in the form that knows every column; not each movement, which would flood a slow
/// line.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// A frame is written out at once: this holds the largest.
const FRAME_BYTES: usize = 1 << 20;

/// The screen, while warroom has it. Dropped, it gives the terminal back.
pub struct Screen {
    /// Never dropped: [`restore`] does all that its drop would, and that one panics when the terminal is
    /// gone, for it tells stderr so.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>,
    /// The mouse is ours.
    mouse: bool,
    way: Capabilities,
}

impl Screen {
    /// Whether there is a terminal to take.
    ///
    /// # Errors
    /// There is none, and what to use instead.
    pub fn possible() -> io::Result<()> {
        if io::stdin().is_terminal() && io::stdout().is_terminal() {
            return Ok(());
        }
        Err(io::Error::other(
            "this needs a terminal; for pipes and scripts there are `warroom status` and `warroom run`",
        ))
    }

    /// Takes the terminal: alternate screen, raw mode, bracketed paste, no cursor.
    ///
    /// # Errors
    /// There is no terminal, or it does not answer.
    pub fn take() -> io::Result<Self> {
        Self::possible()?;
        enter()?;
        let backend = CrosstermBackend::new(BufWriter::with_capacity(FRAME_BYTES, io::stdout()));
        Terminal::new(backend)
            .map(|terminal| Self {
                terminal: ManuallyDrop::new(terminal),
                mouse: false,
                way: Capabilities::detect(|name| std::env::var(name).ok()),
            })
            .inspect_err(|_| restore())
    }

    /// Draws one frame, in one write, which terminals that can show at once.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(draw)?;
        queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        io::Write::flush(self.terminal.backend_mut())
    }

    /// Clears the screen, so that the next frame draws everything. `Terminal::clear` would do it too, but
    /// asks the terminal where its cursor is first, and one that does not answer in time would end the
    /// session.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn forget(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Puts text on the clipboard, through every ssh in between (OSC 52).
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut sequence = Vec::new();
        queue!(sequence, CopyToClipboard::to_clipboard_from(text))?;
        self.send(&self.way.copy(&sequence))
    }

    /// Calls a person who does not look: the bell, and a notification of the desktop.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn notify(&mut self, text: &str, by: CallBy) -> io::Result<()> {
        let ring: &[u8] = if by.bell { b"\x07" } else { b"" };
        let told = if by.desktop { self.way.notification(text) } else { Vec::new() };
        self.send(&[ring, &told].concat())
    }

    /// Takes the mouse, or leaves it to the terminal, which selects text with it.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn mouse(&mut self, ours: bool) -> io::Result<()> {
        self.mouse = ours;
        self.send(if ours { MOUSE_ON } else { MOUSE_OFF })
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        out.write_all(bytes)?;
        io::Write::flush(out)
    }

    /// Gives the terminal to the shell, stops this process as ctrl-z does, and takes the terminal again when
    /// it goes on.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn suspend(&mut self) -> io::Result<()> {
        restore();
        // The whole group stops, as the terminal's own ctrl-z would do it: a shell's job may be more than
        // this process. Called on the main thread, which the kernel stops before this returns; a group
        // without a shell to wake it is not stopped.
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        enter()?;
        self.mouse(self.mouse)?;
        self.forget()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide).inspect_err(|_| restore())
}

/// Gives the terminal back. Harmless when it was not taken, and when it is gone.
pub fn restore() {
    let mut out = io::stdout();
    let _ = out.write_all(MOUSE_OFF);
    let _ = execute!(out, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = out.flush();
    let _ = disable_raw_mode();
}
