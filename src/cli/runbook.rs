//! `warroom runbook`: documents → runbooks, and back.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::args::Runbook;
use super::{CommandContext, Exit, complain, warn};
use crate::runbook::import::{Became, Finding, Import, import};
use crate::runbook::{export, schema};

/// Does what needs no settings; `None`: it does.
pub(super) fn without_settings(what: &Runbook) -> Option<io::Result<Exit>> {
    match what {
        Runbook::Import { file, out } => Some(convert(file, out.as_deref())),
        Runbook::Schema => Some(put(&schema::json(), None)),
        #[cfg(feature = "sim")]
        Runbook::Test { .. } => None,
        Runbook::Export { .. } => None,
    }
}

/// Does what needs the runbook in use.
pub(super) fn runbook(context: &CommandContext, what: &Runbook) -> io::Result<Exit> {
    match what {
        Runbook::Export { out } => put(&export::markdown(&context.config.runbook), out.as_deref()),
        #[cfg(feature = "sim")]
        Runbook::Test { .. } => Ok(Exit::Done),
        Runbook::Import { .. } | Runbook::Schema => Ok(Exit::Done),
    }
}

fn convert(file: &Path, out: Option<&Path>) -> io::Result<Exit> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return Ok(complain(&format!("cannot read {}: {error}", file.display()))),
    };
    let Import { toml, findings } = match import(&file.display().to_string(), &text) {
        Ok(import) => import,
        Err(error) => return Ok(complain(&error.to_string())),
    };
    let exit = put(&toml, out)?;
    if exit == Exit::Done {
        for finding in &findings {
            warn(told(file, finding));
        }
        warn(sum(&findings));
    }
    Ok(exit)
}

/// Prints a text, or writes it into a file.
fn put(text: &str, out: Option<&Path>) -> io::Result<Exit> {
    let Some(path) = out else {
        io::stdout().write_all(text.as_bytes())?;
        return Ok(Exit::Done);
    };
    match fs::write(path, text) {
        Ok(()) => Ok(Exit::Done),
        Err(error) => {
            warn(format_args!("warroom: cannot write {}: {error}", path.display()));
            Ok(Exit::Failed)
        }
    }
}

/// `runbook.md:110  kubectl get pods → pods-not-running`
fn told(file: &Path, finding: &Finding) -> String {
    let Finding { line, text, became } = finding;
    let first = text.lines().next().unwrap_or_default();
    let more = if text.lines().count() > 1 { " …" } else { "" };
    let became = match became {
        Became::Steps(ids) => ids.iter().map(named).collect::<Vec<_>>().join(", "),
        Became::ByHand(id, why) => format!("{id} (by hand: {why})"),
        Became::Kept(id, what) => format!("{id} (kept as it is: {what})"),
        Became::Nothing(why) => format!("no step: it {why}"),
    };
    format!("{}:{line}  {first}{more} → {became}", file.display())
}

/// `scale`, or `restart-it (restart)` where the step is not called as its kind is.
fn named((id, kind): &(String, &'static str)) -> String {
    if id == kind { id.clone() } else { format!("{id} ({kind})") }
}

/// `38 commands: 35 can be run as steps, 3 left to a person, …`
fn sum(findings: &[Finding]) -> String {
    let count =
        |wanted: fn(&Became) -> bool| findings.iter().filter(|finding| wanted(&finding.became)).count();
    let made = count(|became| matches!(became, Became::Steps(_)));
    let by_hand = count(|became| matches!(became, Became::ByHand(..)));
    let idle = count(|became| matches!(became, Became::Nothing(_)));
    let kept = count(|became| matches!(became, Became::Kept(..)));
    format!(
        "{} commands: {made} can be run as steps, {by_hand} left to a person, {idle} of no effect by themselves; {kept} other parts kept",
        made + by_hand + idle
    )
}
