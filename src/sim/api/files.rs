//! Files in the simulated containers, and the commands that read and write them. What a file holds follows
//! from its path.

use std::fmt::Write;

use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::command::Output;
use crate::sim::cluster::process::Process;
use crate::sim::json::{label, text};

/// Bytes of a heap dump.
const HEAP: usize = 3 << 20;
/// Bytes of a block of a tar stream.
const BLOCK: usize = 512;

/// Runs a command on files; nothing where it is another one.
///
/// | command | |
/// |---|---|
/// | `jmap -dump:format=b,file=PATH 1` | in pods with label `app=kafka`: a JVM |
/// | `tar cf - PATH`, `sha256sum PATH` | of `/etc/hostname`, and of what was written |
/// | `rm -f PATH` | of what was written |
pub(super) fn execute(process: &mut Process, pod: &Value, command: &[&str]) -> Option<Output> {
    Some(match command {
        ["jmap", option, number] if label(pod, "app") == Some("kafka") => dump(process, option, number),
        ["rm", "-f", path] => {
            process.files.remove(*path);
            Output::ok("")
        }
        ["tar", "cf", "-", path] => match content(process, pod, path) {
            Some(content) => tar(path, &content),
            None => missing("tar", path),
        },
        ["sha256sum", path] => match content(process, pod, path) {
            Some(content) => Output::ok(format!("{}  {path}\n", hexadecimal(&content))),
            None => missing("sha256sum", path),
        },
        _ => return None,
    })
}

fn dump(process: &mut Process, option: &str, number: &str) -> Output {
    let Some(path) = option.strip_prefix("-dump:format=b,file=").filter(|_| number == "1") else {
        let words = format!("{number}: No such process\n");
        return Output::failed(words, 1);
    };
    process.files.insert(path.to_owned(), HEAP);
    Output::ok(format!("Dumping heap to {path} ...\nHeap dump file created [{HEAP} bytes in 0.1 secs]\n"))
}

fn content(process: &Process, pod: &Value, path: &str) -> Option<Vec<u8>> {
    if path == "/etc/hostname" {
        return Some(format!("{}\n", text(pod, "/metadata/name")).into_bytes());
    }
    let mut bytes = vec![0; *process.files.get(path)?];
    blake3::Hasher::new().update(path.as_bytes()).finalize_xof().fill(&mut bytes);
    Some(bytes)
}

fn missing(tool: &str, path: &str) -> Output {
    Output::failed(format!("{tool}: {path}: No such file or directory\n"), 1)
}

fn hexadecimal(content: &[u8]) -> String {
    digest(&SHA256, content).as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An archive of one file: a header, the file, and two empty blocks.
fn tar(path: &str, content: &[u8]) -> Output {
    let name = path.trim_start_matches('/').as_bytes();
    let name = &name[..name.len().min(100)];
    let mut header = [0; BLOCK];
    header[..name.len()].copy_from_slice(name);
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[136..147].copy_from_slice(b"00000000000");
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = header.to_vec();
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    Output { stderr: "tar: removing leading '/' from member names\n".to_owned(), ..Output::ok(archive) }
}
