//! A file out of a container, once, as `kubectl cp` copies it: the output of `tar` in the container. It is
//! kept as it is, in a file of its owner alone; what did not come whole stays as `NAME.part`.

use std::fmt::Write as _;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{AttachParams, AttachedProcess};
use ring::digest::{Context, SHA256};
use tokio::io::AsyncReadExt;

use super::caller::{Caller, root};
use super::exec;
use super::output::Listener;
use super::tar::{self, Torn};
use crate::clean::Clean;
use crate::event::{Exec, FileCopy, Outcome, Output, Typed};

/// Bytes that are left free on the disk: the recording goes on.
const RESERVE: u64 = 256 << 20;
/// Bytes of the stream that wait to be taken.
const BUFFER: usize = 256 << 10;
/// How often progress is told.
const TELLS: Duration = Duration::from_secs(1);
/// Bytes of what tar complains about that are read, and for how long.
const WORDS: u64 = 4 << 10;
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds that a command beside the copy may take.
const SECONDS: u32 = 60;

/// Copies, and tells where the file is, how large, and its checksum. `told` gets progress in words.
pub(super) async fn run(caller: &Caller, copy: &FileCopy, data: &Path, told: impl Fn(Clean)) -> Outcome {
    if !copy.before.is_empty() {
        told("the file is being written in the container".into());
        match exec::run(caller, &beside(copy, &copy.before, copy.seconds), &Listener::default()).await {
            Outcome::Read(output) if output.succeeded() => {}
            Outcome::Read(output) => return Outcome::Ran(output),
            other => return other,
        }
    }
    let limit = Duration::from_secs(copy.seconds.into());
    let path = data.join(copy.file.as_str());
    let copied = match tokio::time::timeout(limit, transferred(caller, copy, &path, &told)).await {
        Ok(Ok(copied)) => copied,
        Ok(Err(outcome)) => return outcome,
        Err(_) => {
            return failed(copy, &format!("not ended within {} s", limit.as_secs()), Some(&part_of(&path)));
        }
    };
    let mut lines = copied.lines();
    let compared = compared(caller, copy, &copied).await;
    let same = matches!(compared, Compared::Same);
    let other = matches!(compared, Compared::Other);
    lines.push(compared.words());
    lines.extend(removed(caller, copy, same).await);
    let cut = other.then(|| Clean::from("the file in the container is not the same"));
    ended(copy, Output { exit: Some(i32::from(other)), lines, cut, ..Output::default() })
}

/// A file that came whole.
struct Copied {
    path: PathBuf,
    bytes: u64,
    sha256: String,
}

impl Copied {
    fn lines(&self) -> Vec<Clean> {
        let Self { path, bytes, sha256 } = self;
        [format!("copied {bytes} bytes to {}", path.display()), format!("sha256 {sha256}")]
            .map(Clean::from)
            .to_vec()
    }
}

async fn transferred(
    caller: &Caller,
    copy: &FileCopy,
    path: &Path,
    told: &impl Fn(Clean),
) -> Result<Copied, Outcome> {
    let (mut file, part) = Receiving::create(path)
        .map_err(|why| held(copy, &format!("{} cannot be written: {why}", path.display())))?;
    let mut process = match begun(caller, copy).await {
        Ok(process) => process,
        Err(why) => {
            let _ = std::fs::remove_file(&part); // it is empty
            return Err(held(copy, &why));
        }
    };
    let mut last = Instant::now();
    let progress = |taken: u64, size: u64| {
        if last.elapsed() >= TELLS {
            last = Instant::now();
            told(format!("copied {} of {} MiB", taken >> 20, size >> 20).into());
        }
    };
    let taken = match process.stdout() {
        Some(mut stream) => tar::take(&mut stream, file.room, &mut file, progress).await,
        None => Err(Torn::Nothing),
    };
    let kept = file.bytes;
    let whole = match taken {
        Ok(_) => file.finish(&part, path).map_err(|why| why.to_string()),
        Err(torn) => Err(why(&mut process, &torn).await),
    };
    process.abort();
    match whole {
        Ok(sha256) => Ok(Copied { path: path.to_owned(), bytes: kept, sha256 }),
        Err(why) if kept == 0 => {
            let _ = std::fs::remove_file(&part); // it is empty
            Err(failed(copy, &why, None))
        }
        Err(why) => Err(failed(copy, &why, Some(&part))),
    }
}

/// Begins `tar` in the container, if the pod is still the one that was meant.
async fn begun(caller: &Caller, copy: &FileCopy) -> Result<AttachedProcess, Clean> {
    exec::still_there(caller, &copy.target).await.map_err(|why| Clean::from(why.to_string()))?;
    let pods: Api<Pod> = Api::namespaced(caller.client.clone(), &copy.target.namespace);
    let how = AttachParams::default()
        .container(copy.container.as_str())
        .stdin(false)
        .stdout(true)
        .stderr(true)
        .max_stdout_buf_size(BUFFER);
    let command = ["tar", "cf", "-", copy.path.raw()];
    match tokio::time::timeout(caller.deadline, pods.exec(&copy.target.name, command, &how)).await {
        Ok(Ok(process)) => Ok(process),
        Ok(Err(kube::Error::Api(status))) => Err(status.message.into()),
        Ok(Err(error)) => Err(root(&error)),
        Err(_) => Err("no answer in time".into()),
    }
}

/// Why the file did not come: tar's own words, where it said any and nothing came.
async fn why(process: &mut AttachedProcess, torn: &Torn) -> String {
    let (Torn::Nothing, Some(stderr)) = (torn, process.stderr()) else { return torn.to_string() };
    let mut words = Vec::new();
    // What it has said until then is all that is needed.
    let _cut = tokio::time::timeout(PATIENCE, stderr.take(WORDS).read_to_end(&mut words)).await;
    let words = String::from_utf8_lossy(&words);
    let last = words.lines().rfind(|line| !line.trim().is_empty());
    last.map_or_else(|| torn.to_string(), str::to_owned)
}

/// Where a file is until it is whole.
fn part_of(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.part", path.display()))
}

/// A file that is being received: hashed as it is written, and bounded by the disk.
struct Receiving {
    file: File,
    hash: Context,
    bytes: u64,
    room: u64,
}

impl Receiving {
    /// Creates the file of a copy under its name with `.part`, which must be new, and whose folder need not
    /// be there.
    fn create(path: &Path) -> io::Result<(Self, PathBuf)> {
        let folder = path.parent().unwrap_or(path);
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let disk = rustix::fs::statvfs(folder)?;
        let room = (disk.f_bavail * disk.f_frsize).saturating_sub(RESERVE);
        let part = part_of(path);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        Ok((Self { file, hash: Context::new(&SHA256), bytes: 0, room }, part))
    }

    /// Gives it its name, once it is on the disk; answers its checksum.
    fn finish(self, part: &Path, path: &Path) -> io::Result<String> {
        self.file.sync_all()?;
        // A link is not made where something has that name already.
        std::fs::hard_link(part, path)?;
        std::fs::remove_file(part)?;
        Ok(hexadecimal(self.hash.finish().as_ref()))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
        text
    })
}

impl Write for Receiving {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let written = self.file.write(piece)?;
        self.hash.update(&piece[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// How the copy and the file in the container compare now.
#[derive(Clone, Copy, Debug)]
enum Compared {
    Same,
    Other,
    /// The container does not tell.
    Unknown,
}

impl Compared {
    fn words(self) -> Clean {
        match self {
            Self::Same => "the file in the container has the same sha256",
            Self::Other => {
                "▲ the file in the container has another sha256 by now: it was written to meanwhile"
            }
            Self::Unknown => "not compared: the container gives no sha256sum of it",
        }
        .into()
    }
}

async fn compared(caller: &Caller, copy: &FileCopy, copied: &Copied) -> Compared {
    let command = ["sha256sum", copy.path.raw()].map(Typed::new);
    let output = match exec::run(caller, &beside(copy, &command, SECONDS), &Listener::default()).await {
        Outcome::Read(output) if output.succeeded() => output,
        _ => return Compared::Unknown,
    };
    let there = output.lines.first().map_or("", |line| line.split(' ').next().unwrap_or_default());
    // A name with a backslash is told with one before the sum.
    if there.trim_start_matches('\\') == copied.sha256 { Compared::Same } else { Compared::Other }
}

/// The file in the container goes, where it was made for the copy and came whole.
async fn removed(caller: &Caller, copy: &FileCopy, same: bool) -> Option<Clean> {
    if copy.before.is_empty() {
        return None;
    }
    let path = copy.path.shown();
    if !same {
        return Some(
            format!("▲ {path} stays in the container: the copy was not found to be the same").into(),
        );
    }
    let command = ["rm", "-f", copy.path.raw()].map(Typed::new);
    Some(match exec::run(caller, &beside(copy, &command, SECONDS), &Listener::default()).await {
        Outcome::Read(output) if output.succeeded() => {
            format!("{path} was removed from the container").into()
        }
        _ => format!("▲ {path} stays in the container: it could not be removed").into(),
    })
}

/// A command in the container of the copy.
fn beside(copy: &FileCopy, command: &[Typed], seconds: u32) -> Exec {
    let FileCopy { target, container, .. } = copy;
    Exec { target: target.clone(), container: container.clone(), command: command.to_vec(), seconds }
}

/// The copy did not begin. Where the file was made for it, something was changed all the same.
fn held(copy: &FileCopy, why: &str) -> Outcome {
    if copy.before.is_empty() {
        return Outcome::Rejected { reason: why.into(), by_reading: false };
    }
    failed(copy, why, None)
}

/// The copy failed; what there is of it is kept in `part`.
fn failed(copy: &FileCopy, why: &str, part: Option<&Path>) -> Outcome {
    let kept = part.map(|part| format!("what came is in {}", part.display()));
    let stays = (!copy.before.is_empty()).then(|| format!("{} stays in the container", copy.path.shown()));
    let lines = kept.into_iter().chain(stays).map(Clean::from).collect();
    let cut = Some(format!("not copied: {why}").into());
    ended(copy, Output { exit: Some(1), lines, cut, ..Output::default() })
}

/// A copy only reads, unless the file was made for it.
fn ended(copy: &FileCopy, output: Output) -> Outcome {
    if copy.before.is_empty() { Outcome::Read(output) } else { Outcome::Ran(output) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_has_its_name_once_it_is_whole_and_takes_none_from_another() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("incidents/day/file");
        let (mut file, part) = Receiving::create(&path).unwrap();
        file.write_all(b"abc").unwrap();
        assert!(!path.exists() && Receiving::create(&path).is_err(), "one copy at a time");
        let sha256 = file.finish(&part, &path).unwrap();
        assert_eq!(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!((std::fs::read(&path).unwrap(), part.exists()), (b"abc".to_vec(), false));
        let (file, part) = Receiving::create(&path).unwrap();
        assert!(file.finish(&part, &path).is_err(), "what is there stays");
    }
}
