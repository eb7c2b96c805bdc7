//! The screen over a recording. There is no executor in here and none can be given to it: a replay cannot act
//! (invariant 3).

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use super::Keys;
use super::player::Player;
use super::screen::{Looks, Painter};
use crate::effect::{Effect, Play};
use crate::event::{Event, Setup, View};
use crate::reduce::look;
use crate::source::keyboard::Input;
use crate::state::Survey;
use crate::terminal::Screen;

/// How often a playing recording moves on.
const FRAME: Duration = Duration::from_millis(50);

/// Plays until somebody leaves, a signal ends it, or the terminal is gone. The recording is read as a whole
/// meanwhile.
///
/// # Errors
/// The terminal broke, or there can be no thread.
pub async fn run(
    mut player: Player,
    keys: Keys,
    screen: Screen,
    looks: Looks,
    setup: Setup,
    mut keyboard: mpsc::Receiver<Input>,
) -> std::io::Result<()> {
    let mut painter = Painter::new(screen, looks);
    let (columns, rows) = crossterm::terminal::size()?;
    player.state.screen.size = (columns, rows);
    let begun = look(&mut player.state, &Event::View(View::Began(setup)));
    carry_out(&mut player, &mut painter, &begun)?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut frame = tokio::time::interval(FRAME);
    frame.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut survey = Some(begin_survey(&player)?);
    let mut last = Instant::now();
    painter.draw(&player.state, &keys)?;
    loop {
        let input = tokio::select! {
            biased;
            input = keyboard.recv() => Some(input.unwrap_or(Input::Gone)),
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            _ = hangup.recv() => return Ok(()),
            found = arrival(&mut survey) => {
                player.surveyed(found);
                painter.draw(&player.state, &keys)?;
                continue;
            }
            _ = frame.tick() => None,
        };
        let passed = TimeDelta::from_std(last.elapsed()).unwrap_or_default();
        last = Instant::now();
        let moved = player.pass(passed);
        let effects = match input {
            Some(Input::Gone) => return Ok(()),
            Some(Input::Terminal(input)) => {
                keys.read(&player.state, painter.hits(), &input).map(|event| look(&mut player.state, &event))
            }
            None => None,
        };
        if let Some(effects) = &effects
            && !carry_out(&mut player, &mut painter, effects)?
        {
            return Ok(());
        }
        if moved || effects.is_some() {
            painter.draw(&player.state, &keys)?;
        }
    }
}

/// Reads the whole recording on a thread of its own, as long as somebody waits for what it finds.
fn begin_survey(player: &Player) -> std::io::Result<oneshot::Receiver<Survey>> {
    let (found, arrives) = oneshot::channel();
    let recording = player.unsurveyed();
    let work = move || {
        if let Some(survey) = recording.survey(|| !found.is_closed()) {
            let _ = found.send(survey);
        }
    };
    std::thread::Builder::new().name("survey".into()).spawn(work)?;
    Ok(arrives)
}

/// What the survey found, once; never again after that.
async fn arrival(survey: &mut Option<oneshot::Receiver<Survey>>) -> Survey {
    if let Some(arrives) = survey {
        let found = arrives.await;
        *survey = None;
        return found.unwrap_or_else(|_| Survey {
            gaps: vec!["the recording could not be read as a whole".into()],
            ..Survey::default()
        });
    }
    std::future::pending().await
}

/// Carries out what only concerns this screen; `false`: leave.
fn carry_out(player: &mut Player, painter: &mut Painter, effects: &[Effect]) -> std::io::Result<bool> {
    for effect in effects {
        match effect {
            Effect::Quit => return Ok(false),
            Effect::Play(play) => move_to(player, play),
            effect => {
                if let Some(told) = painter.carry_out(effect)? {
                    look(&mut player.state, &Event::View(View::Told(told)));
                }
            }
        }
    }
    Ok(true)
}

fn move_to(player: &mut Player, play: &Play) {
    match play {
        Play::Toggle => player.toggle(),
        Play::Step(by) => player.step(*by),
        Play::Faster => player.change_speed(2.0),
        Play::Slower => player.change_speed(0.5),
        Play::NextEntry => player.next_entry(),
        Play::PreviousEntry => player.previous_entry(),
        Play::Start => player.rewind(),
        Play::End => player.finish(),
        Play::Seek(wanted) => {
            if let Err(why) = player.seek(wanted) {
                look(&mut player.state, &Event::View(View::Told(why.to_string().into())));
            }
        }
    }
}
