//! `warroom recordings`: what was recorded, and whether it is still what was written.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::args::Recordings;
use super::{CommandContext, Exit, complain, say, warn};
use crate::clean::Clean;
use crate::journal::Recording;
use crate::journal::recordings::{self, Summary};
use crate::journal::verify::{self, Report};
use crate::runtime::player::{self, Player, Unread};
use crate::units;

pub(super) fn recordings(context: &CommandContext, what: &Recordings) -> io::Result<Exit> {
    match what {
        Recordings::List { json } => list(context, *json),
        Recordings::Show { path, json } => show(context, path, *json),
        Recordings::Verify { path, json } => verified(path, *json),
    }
}

fn list(context: &CommandContext, as_json: bool) -> io::Result<Exit> {
    let listing = match recordings::list(&context.paths.data_dir) {
        Ok(listing) => listing,
        Err(error) => return Ok(complain(&error.to_string())),
    };
    for found in &listing.recordings {
        if as_json {
            say(as_value(found))?;
        } else {
            let records = found.end.as_ref().map_or(0, |end| end.records);
            say(format_args!(
                "{}  {records} records  {} kB  {}",
                found.path.display(),
                found.bytes / 1024,
                ending(found)
            ))?;
        }
    }
    for (path, error) in &listing.unreadable {
        warn(format_args!("{}: {error}", path.display()));
    }
    Ok(Exit::Done)
}

fn ending(found: &Summary) -> &'static str {
    match (found.sealed, found.live) {
        (true, _) => "sealed",
        (false, true) => "being recorded",
        (false, false) => "ended by force",
    }
}

fn as_value(found: &Summary) -> Value {
    let header = found.header.as_ref();
    json!({
        "path": found.path, "id": header.map(|h| h.recording), "from": header.map(|h| h.at), "to": found.end.as_ref().map(|end| end.at),
        "records": found.end.as_ref().map(|end| end.records), "bytes": found.bytes, "sealed": found.sealed, "live": found.live,
        "about": header.map(|h| &h.about),
    })
}

fn show(context: &CommandContext, path: &Path, as_json: bool) -> io::Result<Exit> {
    let (summary, mut player) = match (recordings::summarise(path), Player::open(path, context.runbook())) {
        (Ok(summary), Ok(player)) => (summary, player),
        (Err(error), _) | (_, Err(error)) => return Ok(complain(&error.to_string())),
    };
    player.finish();
    let gaps = player.gaps().to_vec();
    let world = &player.state.world;
    if as_json {
        let mut told = as_value(&summary);
        told["gaps"] = json!(gaps);
        told["timeline"] = json!(world.timeline.entries());
        told["runs"] = json!(world.runs.all().collect::<Vec<_>>());
        say(told)?;
        return Ok(Exit::Done);
    }
    say(format_args!("{}  {}", path.display(), ending(&summary)))?;
    for entry in world.timeline.entries() {
        say(format_args!(
            "{}  {:<22} {}",
            entry.at.format("%Y-%m-%d %H:%M:%S"),
            world.subject(entry),
            entry.text
        ))?;
    }
    gaps.iter().try_for_each(|gap| say(format_args!("gap: {gap}")))?;
    Ok(Exit::Done)
}

fn verified(path: &Path, as_json: bool) -> io::Result<Exit> {
    let (report, unread) =
        match verify::verify(path).and_then(|report| Ok((report, player::unread(&Recording::open(path)?)))) {
            Ok(found) => found,
            Err(error) => return Ok(complain(&error.to_string())),
        };
    if as_json {
        say(told(&report, &unread))?;
    } else {
        say(format_args!(
            "{} in {}, chain {}",
            units::counted(usize::try_from(report.records).unwrap_or(usize::MAX), "record"),
            units::counted(report.segments, "segment"),
            report.chain
        ))?;
        report.damaged.iter().try_for_each(|damage| say(format_args!("damaged: {damage}")))?;
        report.gaps.iter().try_for_each(|gap| say(format_args!("{gap}")))?;
        unread.iter().try_for_each(|unread| say(Clean::new(&unread.to_string())))?;
        say(if report.sealed { "sealed" } else { "not sealed: the program was killed, or still runs" })?;
    }
    Ok(if report.damaged.is_empty() { Exit::Done } else { Exit::Failed })
}

fn told(report: &Report, unread: &[Unread]) -> Value {
    let damaged: Vec<String> = report.damaged.iter().map(ToString::to_string).collect();
    let gaps: Vec<Value> = report
        .gaps
        .iter()
        .map(|gap| json!({"from": gap.from_seq, "to": gap.to_seq, "why": gap.why.to_string()}))
        .collect();
    let unread: Vec<_> = unread.iter().map(|unread| Clean::new(&unread.to_string())).collect();
    json!({
        "segments": report.segments, "records": report.records, "from": report.from.map(|(_, at)| at), "to": report.to.map(|(_, at)| at),
        "chain": report.chain.to_string(), "gaps": gaps, "unread": unread, "damaged": damaged, "uncommitted": report.uncommitted, "sealed": report.sealed,
    })
}
