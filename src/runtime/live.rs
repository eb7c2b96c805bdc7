//! The full screen on a cluster, real or simulated: keys first, then what the executor and the sources say,
//! then a frame.

use std::io;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::engine::{Engine, Released};
use super::screen::{Looks, Moved, Painter};
use super::{Core, Encoded, Keys};
use crate::effect::{Effect, Executor};
use crate::event::{Event, Operator, View};
use crate::keymap::Action;
use crate::source::keyboard::Input;
use crate::state::Run;
use crate::terminal::Screen;

/// Events taken in between two looks at the keyboard.
const BATCH: usize = 64;
/// How often the clocks on the screen move.
const TICK: Duration = Duration::from_secs(1);
/// How long the drain between two frames may take: a key never waits longer.
const DRAIN: Duration = Duration::from_millis(4);

/// How long a program may take to end when warroom does.
const ENDING: Duration = Duration::from_secs(8);

/// A session with a screen.
pub struct Live {
    engine: Engine,
    released: mpsc::UnboundedReceiver<Released>,
    events: mpsc::Receiver<Encoded>,
    keys: Keys,
    painter: Painter,
}

/// Whether to go on.
#[derive(PartialEq)]
enum Step {
    On,
    Leave,
}

impl Live {
    /// A session over `events`, which sources and executor fill.
    pub fn new(
        core: Core,
        keys: Keys,
        screen: Screen,
        looks: Looks,
        executor: Executor,
        events: mpsc::Receiver<Encoded>,
    ) -> Self {
        let (engine, released) = Engine::new(core, executor);
        Self { engine, released, events, keys, painter: Painter::new(screen, looks) }
    }

    /// Takes in what a session begins with.
    ///
    /// # Errors
    /// The terminal broke.
    pub fn begin(&mut self, first: Vec<Event>) -> io::Result<()> {
        first.into_iter().try_for_each(|event| self.take(event).map(drop))
    }

    /// Runs until somebody leaves, a signal ends it, or the terminal is gone or broke, and gives the core
    /// back to be sealed in any case.
    pub async fn run(mut self, mut keyboard: mpsc::Receiver<Input>) -> (Core, io::Result<()>) {
        let ended = self.turn(&mut keyboard).await;
        self.end_programs().await;
        (self.engine.stop(), ended)
    }

    /// Ends the programs that run, so that what becomes of each is recorded.
    async fn end_programs(&mut self) {
        let running = |engine: &Engine| engine.state().world.runs.all().any(Run::is_running);
        if !running(&self.engine) {
            return;
        }
        self.engine.take(Event::Operator(Operator::Did(Action::StopAll)));
        let end = tokio::time::Instant::now() + ENDING;
        while running(&self.engine)
            && let Ok(Some(event)) = tokio::time::timeout_at(end, self.events.recv()).await
        {
            self.engine.take(event);
        }
    }

    async fn turn(&mut self, keyboard: &mut mpsc::Receiver<Input>) -> io::Result<()> {
        let (columns, rows) = crossterm::terminal::size()?;
        self.take(Event::View(View::Resized { columns, rows }))?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let mut tick = tokio::time::interval(TICK);
        loop {
            let frame = self.painter.due().unwrap_or_else(|| Instant::now() + TICK);
            let step = tokio::select! {
                biased;
                input = keyboard.recv() => match input {
                    Some(Input::Terminal(input)) => self.input(&input)?,
                    Some(Input::Gone) | None => Step::Leave,
                },
                _ = interrupt.recv() => Step::Leave,
                _ = terminate.recv() => Step::Leave,
                _ = hangup.recv() => Step::Leave,
                Some(released) = self.released.recv() => {
                    let effects = self.engine.release(released);
                    self.show(effects, Moved::World)?
                }
                () = tokio::time::sleep_until(frame.into()), if self.painter.due().is_some() => {
                    self.draw()?;
                    Step::On
                }
                Some(event) = self.events.recv() => self.drain(event)?,
                _ = tick.tick() => self.take(Event::View(View::Tick))?,
            };
            if step == Step::Leave {
                return Ok(());
            }
        }
    }

    /// A key: its effect is on the screen before anything else is looked at.
    fn input(&mut self, input: &crossterm::event::Event) -> io::Result<Step> {
        let Some(event) = self.keys.read(self.engine.state(), self.painter.hits(), input) else {
            return Ok(Step::On);
        };
        let step = self.take(event)?;
        self.painter.typed();
        self.draw()?;
        Ok(step)
    }

    /// An event, and what came with it.
    fn drain(&mut self, first: Encoded) -> io::Result<Step> {
        let began = Instant::now();
        let mut event = Some(first);
        for _ in 0..BATCH {
            let Some(now) = event.take() else { break };
            if self.take(now)? == Step::Leave {
                return Ok(Step::Leave);
            }
            event = if began.elapsed() < DRAIN { self.events.try_recv().ok() } else { None };
        }
        if self.painter.is_blank() && !self.engine.state().world.cluster.pods.is_empty() {
            self.draw()?;
        }
        Ok(Step::On)
    }

    fn take(&mut self, event: impl Into<Encoded>) -> io::Result<Step> {
        let event = event.into();
        let moved = event.moves();
        let told = self.engine.state().world.timeline.told();
        let effects = self.engine.take(event);
        // what a reading brought about does not wait as it does
        let news = self.engine.state().world.timeline.told() != told;
        self.show(effects, if news { Moved::World } else { moved })
    }

    /// What concerns the screen.
    fn show(&mut self, effects: Vec<Effect>, moved: Moved) -> io::Result<Step> {
        self.painter.touch(moved);
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(Step::Leave),
                effect => {
                    if let Some(told) = self.painter.carry_out(&effect)? {
                        self.engine.take(Event::View(View::Told(told)));
                    }
                }
            }
        }
        Ok(Step::On)
    }

    fn draw(&mut self) -> io::Result<()> {
        self.painter.draw(self.engine.state(), &self.keys)
    }
}
