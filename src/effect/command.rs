//! A program of this machine: found before anybody is asked, run once. It gets its argument vector, the
//! variables that it was promised and no others, nothing to read, and a process group of its own, which is
//! ended as a whole.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::fs::{Access, access};
use tokio::process::{Child, Command};

use super::output::{Kept, Listener, output};
use crate::clean::Clean;
use crate::clean::redact::is_secret_env;
use crate::event::{Fact, Output, Program, Typed};
use crate::net::process::{GRACE, Group};

/// Time that what a program has started may hold its output after the program itself has ended.
const LINGER: Duration = Duration::from_secs(1);

/// Why a program cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotFound {
    /// There is no folder to run it in.
    #[error("{0} is no folder: it would be run there")]
    Folder(Clean),
    /// The folder that warroom was started in cannot be told.
    #[error("the current folder cannot be used: {0}")]
    Current(Clean),
    /// There is no such file.
    #[error("{file} is not there: {program} is looked for in the folder that it is run in")]
    File {
        /// The path that was looked at.
        file: Clean,
        /// The program as the runbook has it.
        program: Clean,
    },
    /// It is there, and may not be run.
    #[error("{0} is not executable: chmod +x it, or name what runs it")]
    NotExecutable(Clean),
    /// It is nowhere in `PATH`.
    #[error("{program} is not installed: looked for it in {path}")]
    NotInPath {
        /// The program as the runbook has it.
        program: Clean,
        /// The folders of `PATH`.
        path: Clean,
    },
}

/// Finds the file that runs and its folder, and what is to be said of both.
///
/// # Errors
/// What is missing, and where it was looked for.
pub(super) fn find(program: &mut Program) -> Result<Vec<Fact>, NotFound> {
    let folder = folder(program.folder.raw())?;
    let name = program.argv.first().map(Typed::raw).unwrap_or_default();
    let file = if name.contains('/') { in_folder(&folder, name)? } else { in_path(name)? };
    program.folder = shown(&folder);
    program.file = shown(&file);
    let set = |name: &&Clean| env::var_os(name.as_str()).is_some();
    let (set, unset): (Vec<_>, Vec<_>) = program.variables.iter().partition(set);
    let joined = |names: &[&Clean]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let unset = (!unset.is_empty()).then(|| Fact::plain("not set", joined(&unset)));
    Ok([
        Fact::plain("runs", format!("{}, without a shell", program.file)),
        Fact::plain("in folder", program.folder.shown().clone()),
        Fact::plain("variables", joined(&set)),
    ]
    .into_iter()
    .chain(unset)
    .chain([Fact::plain("time", format!("{} s at the most, then it is ended", program.seconds))])
    .collect())
}

/// The folder to run in; a relative one is in that where warroom was started.
fn folder(named: &str) -> Result<PathBuf, NotFound> {
    let unusable = |why: &str| NotFound::Current(why.into());
    let current = env::current_dir().map_err(|error| unusable(&error.to_string()))?;
    let folder = current.join(named);
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    if folder.to_str().is_none() {
        return Err(unusable("its name is no text"));
    }
    if folder.is_dir() { Ok(folder) } else { Err(NotFound::Folder(shown(&folder).shown().clone())) }
}

fn in_folder(folder: &Path, name: &str) -> Result<PathBuf, NotFound> {
    let file = folder.join(name);
    let told = || shown(&file).shown().clone();
    if !file.is_file() {
        return Err(NotFound::File { file: told(), program: name.into() });
    }
    if is_executable(&file) { Ok(file) } else { Err(NotFound::NotExecutable(told())) }
}

/// As a shell looks for it, but for relative folders: these are of another folder than the one it runs in.
fn in_path(name: &str) -> Result<PathBuf, NotFound> {
    let path = env::var_os("PATH").unwrap_or_default();
    let files = env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(name));
    let found =
        files.into_iter().find(|file| file.is_file() && is_executable(file) && file.to_str().is_some());
    found.ok_or_else(|| NotFound::NotInPath {
        program: name.into(),
        path: path.to_string_lossy().as_ref().into(),
    })
}

fn is_executable(file: &Path) -> bool {
    access(file, Access::EXEC_OK).is_ok()
}

fn shown(path: &Path) -> Typed {
    Typed::new(&path.to_string_lossy())
}

/// The values that a program is given and that are secrets by their names.
pub(super) fn secrets(program: &Program) -> Vec<String> {
    let values = program.variables.iter().filter_map(|name| Some((name, env::var(name.as_str()).ok()?)));
    let secret = values.filter(|(name, value)| is_secret_env(name, value)).map(|(_, value)| value);
    let hidden = program.argv.iter().filter(|word| *word.shown() != Clean::new(word.raw()));
    // Output is looked through line by line.
    let lines = |value: String| {
        let several = value.lines().count() > 1;
        let long = move |line: &&str| if several { line.len() >= 8 } else { !line.is_empty() };
        value.lines().filter(long).map(str::to_owned).collect::<Vec<_>>()
    };
    secret.chain(hidden.map(|word| word.raw().to_owned())).flat_map(lines).collect()
}

/// How a program ended: its exit code, and why there is none or not all of its output.
type End = (Option<i32>, Option<String>);

/// Runs it until it ends, its time is over, or `stops` comes.
///
/// # Errors
/// It could not be started.
pub(super) async fn run(
    program: &Program,
    listener: &Listener,
    stops: impl Future<Output = ()>,
) -> std::io::Result<Output> {
    let mut child = command(program).spawn()?;
    let mut group = Group::of(&child);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut kept = [Kept::default(), Kept::default()];
    let (exit, why) = {
        let [out, err] = &mut kept;
        let printed = async {
            tokio::join!(out.take(stdout, listener), err.take(stderr, listener));
        };
        let ended = ended(&mut child, printed);
        tokio::pin!(ended);
        tokio::select! {
            biased;
            () = stops => end(&group, ended, "stopped").await,
            end = &mut ended => {
                group.let_go();
                end
            }
            () = tokio::time::sleep(Duration::from_secs(program.seconds.into())) => {
                end(&group, ended, &format!("not ended within {} s", program.seconds)).await
            }
        }
    };
    Ok(output(exit, why, &kept, listener))
}

fn command(program: &Program) -> Command {
    let mut command = Command::new(program.file.raw());
    let variables = program.variables.iter().map(Clean::as_str);
    command
        .args(program.argv.iter().skip(1).map(Typed::raw))
        .current_dir(program.folder.raw())
        .env_clear()
        .envs(variables.filter_map(|name| Some((name, value(name)?))))
        // What is typed at the terminal is not for it, and all of it can be ended.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The value of a variable; kubeconfigs are meant from the folder where warroom was started.
fn value(name: &str) -> Option<OsString> {
    let value = env::var_os(name)?;
    if name != "KUBECONFIG" {
        return Some(value);
    }
    let whole = |file: PathBuf| std::path::absolute(&file).unwrap_or(file);
    let files = env::split_paths(&value).filter(|file| !file.as_os_str().is_empty()).map(whole);
    env::join_paths(files).ok()
}

/// Waits until it has ended, and a little longer for what it has started and still holds its output.
async fn ended(child: &mut Child, printed: impl Future<Output = ()>) -> End {
    tokio::pin!(printed);
    let (status, whole) = tokio::select! {
        status = child.wait() => (status, tokio::time::timeout(LINGER, &mut printed).await.is_ok()),
        () = &mut printed => (child.wait().await, true),
    };
    let rest = (!whole).then(|| "what it has started still runs, and is not listened to".to_owned());
    match status {
        Ok(status) => (status.code(), status.code().map_or_else(|| Some(killed(status)), |_| rest)),
        Err(error) => (None, Some(format!("it cannot be waited for: {error}"))),
    }
}

fn killed(status: ExitStatus) -> String {
    status.signal().map_or_else(|| status.to_string(), |signal| format!("ended by signal {signal}"))
}

/// Ends it with all that it has started.
async fn end(group: &Group, ended: impl Future<Output = End>, why: &str) -> End {
    // Even a kill is not heard by what the kernel holds.
    let _held = tokio::time::timeout(GRACE + 2 * LINGER, async { tokio::join!(group.end(), ended) }).await;
    (None, Some(format!("{why}: it was ended, with all that it had started")))
}
