//! The calls that the writer makes to the file system, as a seam: a test's disk can fail at any one of them.
//! Nothing here decides.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// A file system to write a recording to.
pub trait Disk: Send + Sync {
    /// Makes a folder and its parents, 0700.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes an empty file, 0600, in place of any that is there, locked until it is closed.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>>;
    /// Gives a file another name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Deletes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Puts a folder's entries on disk.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// A file being written.
pub trait DiskFile: Write + Send {
    /// Puts what was written on disk (`fdatasync`).
    fn sync_data(&mut self) -> io::Result<()>;
}

/// The machine's own file system.
#[derive(Clone, Copy, Debug)]
pub struct LocalDisk;

impl Disk for LocalDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        // The lock only tells a recovery that the recording is alive; where locks are not supported, recovery
        // refuses to cut anything.
        let _ = file.try_lock();
        Ok(Box::new(Locked(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

/// A file whose lock goes with it. Closing alone would not do: until its exec, a program that another thread
/// starts at that moment holds the file too, and with it the lock.
#[derive(Debug)]
pub(super) struct Locked(File);

impl Locked {
    /// Locks it for one writer, or for the moment that a reader looks (`shared`).
    pub(super) fn new(file: File, shared: bool) -> Result<Self, TryLockError> {
        if shared { file.try_lock_shared() } else { file.try_lock() }.map(|()| Self(file))
    }

    /// The file itself.
    pub(super) fn file(&mut self) -> &mut File {
        &mut self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Write for Locked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl DiskFile for Locked {
    fn sync_data(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_with_its_file_whoever_else_still_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("segment");
        let open =
            || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).unwrap();
        for shared in [false, true] {
            let mut locked = Locked::new(open(), shared).unwrap();
            let inherited = locked.file().try_clone().unwrap();
            assert!(Locked::new(open(), false).is_err());
            drop(locked);
            Locked::new(open(), false).unwrap();
            drop(inherited);
        }
    }
}
