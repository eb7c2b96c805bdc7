//! A recording as something that can be played: forward by time or record, back by starting from the
//! checkpoint before.

mod survey;

use std::iter::Peekable;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clean::Clean;
use crate::journal::reader::Items;
use crate::journal::{Item, JournalError, Recording};
use crate::runbook::Runbook;
use crate::state::{Playback, State, World};

use self::survey::{Survey, survey};
pub use self::survey::{Unread, decoded, unread, world_of};

/// The slowest and the fastest, as multiples of real time.
const SPEEDS: (f64, f64) = (0.25, 64.0);

/// A recording being played.
pub struct Player {
    recording: Recording,
    items: Peekable<Items>,
    survey: Survey,
    /// What is shown: the world of the last record played, and the viewer's own screen.
    pub state: State,
    /// The time that the replay has come to; between two records it moves on by itself.
    at: DateTime<Utc>,
    speed: f64,
    playing: bool,
}

impl Player {
    /// Opens a recording and reads it once, for its length, its timeline and its gaps.
    ///
    /// # Errors
    /// It cannot be read, or holds nothing.
    pub fn open(path: &Path, runbook: Arc<Runbook>) -> Result<Self, JournalError> {
        let recording = Recording::open(path)?;
        let survey = survey(&recording);
        let Some((_, first)) = survey.times.first().copied() else {
            let path = path.to_owned();
            let gap = survey.gaps.first();
            return Err(gap.map_or(JournalError::Empty(path.clone()), |why| JournalError::Unreadable {
                path,
                why: why.to_string(),
            }));
        };
        let items = recording.items().peekable();
        let mut player = Self {
            recording,
            items,
            survey,
            state: State::new(first, runbook),
            at: first,
            speed: 1.0,
            playing: true,
        };
        player.go_to(0);
        Ok(player)
    }

    /// Lets `real` time pass: plays what is due. Answers whether anything changed.
    pub fn pass(&mut self, real: TimeDelta) -> bool {
        if !self.playing {
            return false;
        }
        #[allow(clippy::cast_possible_truncation, reason = "milliseconds of one frame")]
        let span = TimeDelta::microseconds((real.as_seconds_f64() * self.speed * 1e6) as i64);
        self.at = (self.at + span).min(self.end());
        self.play_until(self.at);
        self.playing = self.at < self.end();
        true
    }

    /// Plays, or pauses; at the end it starts over.
    pub fn toggle(&mut self) {
        if !self.playing && self.at >= self.end() {
            self.go_to(0);
        }
        self.playing = !self.playing;
        self.show();
    }

    /// So many times as fast.
    pub fn change_speed(&mut self, factor: f64) {
        self.speed = (self.speed * factor).clamp(SPEEDS.0, SPEEDS.1);
        self.show();
    }

    /// So many records on or back, and pauses there.
    pub fn step(&mut self, by: i64) {
        self.playing = false;
        let index = self.survey.times.partition_point(|(seq, _)| *seq <= self.state.world.seq);
        let wanted = i64::try_from(index).unwrap_or(i64::MAX).saturating_add(by).max(0);
        let index = usize::try_from(wanted).unwrap_or(0).min(self.survey.times.len());
        self.go_to(index.checked_sub(1).map_or(0, |index| self.survey.times[index].0));
    }

    /// To the next entry of the timeline; to the end, where there is none.
    pub fn next_entry(&mut self) {
        let found = self.survey.entries.iter().map(|(at, _)| *at).find(|entry| *entry > self.at);
        self.pause_at(found.unwrap_or(self.end()));
    }

    /// To the previous entry of the timeline; to the start, where there is none.
    pub fn previous_entry(&mut self) {
        let found = self.survey.entries.iter().map(|(at, _)| *at).rfind(|entry| *entry < self.at);
        self.pause_at(found.unwrap_or(self.start()));
    }

    fn pause_at(&mut self, time: DateTime<Utc>) {
        self.playing = false;
        self.go_to_time(time);
    }

    /// To a time (`14:46`, `14:46:32`, RFC 3339, `+2m`, `-30s`) or to the next entry that contains the text.
    ///
    /// # Errors
    /// Neither.
    pub fn seek(&mut self, wanted: &str) -> Result<(), String> {
        let wanted = wanted.trim();
        let time = parse_time(wanted, self.at, self.start());
        let text = wanted.to_lowercase();
        let named = || {
            let holds = |(_, words): &&(DateTime<Utc>, Clean)| words.to_lowercase().contains(&text);
            let after = self.survey.entries.iter().filter(|(at, _)| *at > self.at).find(holds);
            after.or_else(|| self.survey.entries.iter().find(holds)).map(|(at, _)| *at)
        };
        let Some(time) = time.or_else(named) else {
            return Err(format!("\"{wanted}\" is neither a time (14:46:32, +2m) nor in the timeline"));
        };
        let first = self.start();
        let last = self.end();
        let near = first - TimeDelta::minutes(1)..=last + TimeDelta::minutes(1);
        if !wanted.starts_with(['+', '-']) && !near.contains(&time) {
            let clock = |at: DateTime<Utc>| at.format("%H:%M:%S").to_string();
            return Err(format!(
                "{wanted} is not in this recording, which goes from {} to {}",
                clock(first),
                clock(last)
            ));
        }
        self.go_to_time(time);
        Ok(())
    }

    /// What is missing, or cannot be read.
    pub fn gaps(&self) -> &[Clean] {
        &self.survey.gaps
    }

    /// To the start.
    pub fn rewind(&mut self) {
        self.go_to(0);
    }

    /// To the end.
    pub fn finish(&mut self) {
        self.go_to_time(self.end());
    }

    fn start(&self) -> DateTime<Utc> {
        self.survey.times.first().map_or(self.at, |(_, at)| *at)
    }

    fn end(&self) -> DateTime<Utc> {
        self.survey.times.last().map_or(self.at, |(_, at)| *at)
    }

    fn go_to_time(&mut self, time: DateTime<Utc>) {
        let time = time.clamp(self.start(), self.end());
        let index = self.survey.times.partition_point(|(_, at)| *at <= time);
        self.go_to(index.checked_sub(1).map_or(0, |index| self.survey.times[index].0));
        self.at = time;
        self.show();
    }

    /// To just after a record; 0 is before the first.
    fn go_to(&mut self, seq: u64) {
        if seq < self.state.world.seq || seq == 0 {
            self.items = self.survey.items_before(&self.recording, seq).peekable();
            self.state.world = World::default();
        }
        while self.next_seq().is_some_and(|next| next <= seq) {
            self.advance();
        }
        self.at =
            self.survey.times.iter().rev().find(|(at, _)| *at <= seq).map_or(self.start(), |(_, at)| *at);
        self.show();
    }

    fn play_until(&mut self, time: DateTime<Utc>) {
        while self.next_at().is_some_and(|at| at <= time) {
            self.advance();
        }
        self.show();
    }

    /// A checkpoint or a gap counts as due at once.
    fn next_at(&mut self) -> Option<DateTime<Utc>> {
        self.items
            .peek()
            .map(|item| if let Item::Record(raw) = item { raw.at } else { DateTime::<Utc>::MIN_UTC })
    }

    fn next_seq(&mut self) -> Option<u64> {
        self.items.peek().map(|item| if let Item::Record(raw) = item { raw.seq } else { 0 })
    }

    /// What cannot be read changes nothing here: the survey has told it among the gaps.
    fn advance(&mut self) {
        match self.items.next() {
            Some(Item::Record(raw)) => {
                if let Ok(record) = decoded(&raw) {
                    self.state.world.fold(&record);
                }
            }
            Some(Item::Checkpoint(checkpoint)) => {
                if let Ok(world) = world_of(&checkpoint) {
                    self.state.world = world;
                }
            }
            Some(Item::Gap(_)) | None => {}
        }
    }

    /// Tells the screen where the replay is.
    fn show(&mut self) {
        self.state.now = self.at;
        let last_seq = self.survey.times.last().map_or(0, |(seq, _)| *seq);
        self.state.screen.playback = Some(Playback {
            playing: self.playing,
            speed: self.speed,
            from: self.start(),
            to: self.end(),
            seq: self.state.world.seq,
            last_seq,
            density: self.survey.density.clone(),
            gaps: self.survey.gaps.clone(),
        });
    }
}

/// A time of the day, of the recording's day; RFC 3339; or a span from `now`.
fn parse_time(text: &str, now: DateTime<Utc>, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    if let Some(span) = text.strip_prefix(['+', '-']) {
        let (number, unit) = span.split_at(span.find(|c: char| !c.is_ascii_digit())?);
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return None,
        };
        let span = TimeDelta::try_seconds(number.parse::<i64>().ok()?.checked_mul(seconds)?)?;
        return if text.starts_with('-') {
            now.checked_sub_signed(span)
        } else {
            now.checked_add_signed(span)
        };
    }
    let clock = chrono::NaiveTime::parse_from_str(text, "%H:%M:%S")
        .or_else(|_| chrono::NaiveTime::parse_from_str(text, "%H:%M"))
        .ok()?;
    let today = start.date_naive().and_time(clock).and_utc();
    Some(if today < start && start - today > TimeDelta::hours(12) {
        today + TimeDelta::days(1)
    } else {
        today
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_write_them() {
        let start = DateTime::parse_from_rfc3339("2026-11-23T23:50:00Z").unwrap().to_utc();
        let read = |text: &str| parse_time(text, start, start).map(|at| at.to_rfc3339());
        assert_eq!(read("23:51:02").unwrap(), "2026-11-23T23:51:02+00:00");
        assert_eq!(read("00:05").unwrap(), "2026-11-24T00:05:00+00:00", "past midnight");
        assert_eq!(read("+2m").unwrap(), "2026-11-23T23:52:00+00:00");
        assert_eq!(read("-30s").unwrap(), "2026-11-23T23:49:30+00:00");
        assert_eq!((read("deploy"), read("+2x"), read("+99999999999999999999h")), (None, None, None));
    }
}
