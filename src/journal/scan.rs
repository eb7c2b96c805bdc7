//! Reads the lines of a segment from its file, plain or compressed, and finds its head and its end. What the
//! lines mean together is for [`reader`](super::reader) and [`verify`](super::verify). Nothing is written
//! here.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use super::error::{JournalError, io_error};
use super::format::{Commit, Corruption, FORMAT, Header, Line, MAX_LINE, Mark, decode};
use super::segment::{number_of, packed_path, plain_path};

/// A segment's end is looked for in its last bytes first.
const END_BYTES: u64 = 64 << 10;

/// The lines of a segment.
pub(super) struct Scan {
    input: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    offset: u64,
    ended: bool,
}

/// One line, good or not.
pub(super) struct Scanned<'a> {
    /// Where it starts, in bytes of the plain segment.
    pub(super) offset: u64,
    /// As it stands, newline included; what was read of it if it is too long.
    pub(super) bytes: &'a [u8],
    pub(super) content: Result<Line, Corruption>,
}

impl Scan {
    pub(super) fn open(folder: &Path, number: u32) -> io::Result<Self> {
        let input: Box<dyn BufRead + Send> = match File::open(plain_path(folder, number)) {
            Ok(file) => Box::new(BufReader::new(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Box::new(BufReader::new(zstd::Decoder::new(File::open(packed_path(folder, number))?)?))
            }
            Err(error) => return Err(error),
        };
        Ok(Self { input, line: Vec::new(), offset: 0, ended: false })
    }

    /// The next line. After one that cannot be read there is none.
    pub(super) fn next(&mut self) -> Option<Scanned<'_>> {
        if self.ended {
            return None;
        }
        let offset = self.offset;
        let content = match self.read_line() {
            Ok(0) => return None,
            Ok(read) if read > MAX_LINE as u64 => Err(Corruption::TooLong),
            Ok(_) => decode(&self.line),
            Err(error) => {
                self.ended = true;
                Err(Corruption::Unreadable(error.to_string()))
            }
        };
        Some(Scanned { offset, bytes: &self.line, content })
    }

    /// Reads to the next newline, keeping no more than [`MAX_LINE`] and a byte. Gives the line's length.
    fn read_line(&mut self) -> io::Result<u64> {
        self.line.clear();
        let limit = MAX_LINE as u64 + 1;
        let mut read = self.input.by_ref().take(limit).read_until(b'\n', &mut self.line)? as u64;
        if read == limit && self.line.last() != Some(&b'\n') {
            read += self.input.skip_until(b'\n')? as u64;
        }
        self.offset += read;
        Ok(read)
    }
}

/// The numbers of a recording's segments, in order.
pub(super) fn segment_numbers(folder: &Path) -> Result<BTreeSet<u32>, JournalError> {
    let mut numbers = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(io_error("read", folder))? {
        let name = entry.map_err(io_error("read", folder))?.file_name();
        numbers.extend(name.to_str().and_then(number_of));
    }
    if numbers.is_empty() { Err(JournalError::NotARecording(folder.to_path_buf())) } else { Ok(numbers) }
}

/// A segment's header, if it can be read.
pub(super) fn header(folder: &Path, number: u32) -> Result<Option<Header>, JournalError> {
    let first = Scan::open(folder, number).ok().and_then(|mut scan| scan.next().map(|line| line.content));
    match first {
        Some(Ok(Line::Mark(Mark::Header(header)))) if header.format > FORMAT => {
            Err(JournalError::NewerFormat { path: folder.to_path_buf(), found: header.format })
        }
        Some(Ok(Line::Mark(Mark::Header(header)))) => Ok(Some(header)),
        _ => Ok(None),
    }
}

/// Where a segment ends: its last whole commit, and whether that sealed it.
pub(super) fn end(folder: &Path, number: u32) -> Option<(Commit, bool)> {
    match File::open(plain_path(folder, number)) {
        Ok(file) => end_of_plain(file).ok()?,
        Err(_) => end_of_packed(folder, number),
    }
}

fn end_of_plain(mut file: File) -> io::Result<Option<(Commit, bool)>> {
    let length = file.metadata()?.len();
    let mut window = END_BYTES;
    loop {
        let start = file.seek(SeekFrom::Start(length.saturating_sub(window)))?;
        let mut bytes = Vec::new();
        file.by_ref().take(length - start).read_to_end(&mut bytes)?;
        let found = bytes.split_inclusive(|byte| *byte == b'\n').rev().find_map(as_end);
        if found.is_some() || start == 0 {
            return Ok(found);
        }
        window = window.saturating_mul(8);
    }
}

fn end_of_packed(folder: &Path, number: u32) -> Option<(Commit, bool)> {
    let mut scan = Scan::open(folder, number).ok()?;
    let mut found = None;
    while let Some(line) = scan.next() {
        found = as_end(line.bytes).or(found);
    }
    found
}

fn as_end(line: &[u8]) -> Option<(Commit, bool)> {
    if !line.starts_with(b"{\"commit\":") && !line.starts_with(b"{\"sealed\":") {
        return None;
    }
    match decode(line) {
        Ok(Line::Mark(Mark::Commit(commit))) => Some((commit, false)),
        Ok(Line::Mark(Mark::Sealed(commit))) => Some((commit, true)),
        _ => None,
    }
}
