//! The full screen on a cluster, real or simulated: keys first, then what the executor and the sources say, then a frame.

use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::inherit::{self, Estate};
use super::screen::{Looks, Painter};
use super::{Core, Followed, Held, Keys};
use crate::effect::{Effect, Executor};
use crate::event::{Event, View};
use crate::source::keyboard::Input;
use crate::terminal::Screen;

/// Events taken in between two looks at the keyboard.
const BATCH: usize = 64;
/// How long the drain between two frames may take: a key never waits longer.
const DRAIN: Duration = Duration::from_millis(4);

/// A session with a screen.
pub struct Live {
    core: Core,
    keys: Keys,
    painter: Painter,
    executor: Executor,
    events: mpsc::Receiver<Event>,
    /// Decisions on their way to the disk come back here.
    released: (mpsc::UnboundedSender<Result<Vec<Effect>, Event>>, mpsc::UnboundedReceiver<Result<Vec<Effect>, Event>>),
}

/// Whether to go on.
#[derive(PartialEq)]
enum Step {
    On,
    Leave,
}

impl Live {
    /// A session over `events`, which sources and executor fill.
    pub fn new(core: Core, keys: Keys, screen: Screen, looks: Looks, executor: Executor, events: mpsc::Receiver<Event>) -> Self {
        Self { core, keys, painter: Painter::new(screen, looks), executor, events, released: mpsc::unbounded_channel() }
    }

    /// Takes in what a session begins with, and over what earlier ones left open.
    ///
    /// # Errors
    /// The terminal broke.
    pub fn begin(&mut self, first: Vec<Event>, estates: Vec<Estate>) -> std::io::Result<()> {
        first.into_iter().try_for_each(|event| self.take(event).map(drop))?;
        inherit::hand_on(estates, self.core.durable());
        Ok(())
    }

    /// Runs until somebody leaves, a signal ends it, or the terminal is gone. The recording is sealed on every way out.
    ///
    /// # Errors
    /// The terminal broke.
    pub async fn run(mut self, mut keyboard: mpsc::Receiver<Input>) -> std::io::Result<Core> {
        let (columns, rows) = crossterm::terminal::size()?;
        self.take(Event::View(View::Resized { columns, rows }))?;
        let ended = self.turn(&mut keyboard).await;
        drop(self.executor);
        ended.map(|()| self.core)
    }

    async fn turn(&mut self, keyboard: &mut mpsc::Receiver<Input>) -> std::io::Result<()> {
        let mut signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal).into_iter();
        let mut next = || signals.next().unwrap_or_else(|| signal(SignalKind::terminate()));
        let (mut interrupt, mut terminate, mut hangup) = (next()?, next()?, next()?);
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        self.painter.draw(&self.core.state, &self.keys.0)?;
        loop {
            let frame = self.painter.next().map_or_else(|| Instant::now() + Duration::from_secs(60), |at| at);
            let step = tokio::select! {
                biased;
                input = keyboard.recv() => match input {
                    Some(Input::Terminal(input)) => self.input(&input)?,
                    Some(Input::Gone) | None => Step::Leave,
                },
                _ = interrupt.recv() => Step::Leave,
                _ = terminate.recv() => Step::Leave,
                _ = hangup.recv() => Step::Leave,
                Some(released) = self.released.1.recv() => self.release(released)?,
                () = tokio::time::sleep_until(frame.into()) => { self.painter.draw(&self.core.state, &self.keys.0)?; Step::On }
                Some(event) = self.events.recv() => self.drain(event)?,
                _ = tick.tick() => self.take(Event::View(View::Tick))?,
            };
            if step == Step::Leave {
                return Ok(());
            }
        }
    }

    /// A key: its effect is on the screen before anything else is looked at.
    fn input(&mut self, input: &crossterm::event::Event) -> std::io::Result<Step> {
        let Some(event) = self.keys.read(&self.core.state, input) else { return Ok(Step::On) };
        let step = self.take(event)?;
        self.painter.draw(&self.core.state, &self.keys.0)?;
        Ok(step)
    }

    /// An event, and what came with it.
    fn drain(&mut self, first: Event) -> std::io::Result<Step> {
        let began = Instant::now();
        let mut event = Some(first);
        for _ in 0..BATCH {
            let Some(now) = event.take() else { break };
            if self.take(now)? == Step::Leave {
                return Ok(Step::Leave);
            }
            event = if began.elapsed() < DRAIN { self.events.try_recv().ok() } else { None };
        }
        Ok(Step::On)
    }

    fn take(&mut self, event: Event) -> std::io::Result<Step> {
        let Followed { effects, once_durable } = self.core.take(event);
        self.painter.touch();
        if let Some(held) = once_durable {
            self.hold(held);
        }
        if let Some(trouble) = self.core.tend() {
            self.core.take(trouble);
        }
        self.carry_out(effects)
    }

    fn hold(&self, held: Held) {
        let released = self.released.0.clone();
        tokio::spawn(async move { released.send(held.released().await) });
    }

    fn release(&mut self, released: Result<Vec<Effect>, Event>) -> std::io::Result<Step> {
        match released {
            Ok(effects) => self.carry_out(effects),
            Err(refused) => self.take(refused),
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> std::io::Result<Step> {
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(Step::Leave),
                Effect::Intend(intent) => {
                    if self.take(Event::Intent(intent))? == Step::Leave {
                        return Ok(Step::Leave);
                    }
                }
                Effect::Copy(text) => self.painter.screen().copy(&text)?,
                Effect::Redraw => self.painter.screen().forget()?,
                Effect::Suspend => self.painter.screen().suspend()?,
                Effect::Play(_) => {
                    self.core.take(Event::View(View::Told("only a replay can be moved in time".into())));
                }
                effect => self.executor.execute(effect),
            }
        }
        Ok(Step::On)
    }
}
