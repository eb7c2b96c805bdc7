//! A disk whose syncs wait for a word, or fail: what was decided is not on it before.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use warroom::journal::disk::{Disk, DiskFile, LocalDisk};

/// What becomes of a sync.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Syncs {
    #[default]
    Pass,
    Wait,
    Fail,
}

#[derive(Default)]
struct Gate {
    syncs: Syncs,
    /// All that is on the disk.
    durable: Vec<u8>,
}

/// Cheap to clone; clones share the gate.
#[derive(Clone, Default)]
pub struct GatedDisk(Arc<(Mutex<Gate>, Condvar)>);

struct GatedFile {
    disk: GatedDisk,
    file: Box<dyn DiskFile>,
    written: Vec<u8>,
}

impl GatedDisk {
    pub fn set(&self, syncs: Syncs) {
        self.0.0.lock().unwrap().syncs = syncs;
        self.0.1.notify_all();
    }

    /// Whether something that was synced holds this text.
    pub fn has(&self, text: &str) -> bool {
        let durable = &self.0.0.lock().unwrap().durable;
        String::from_utf8_lossy(durable).contains(text)
    }

    fn works(&self) -> io::Result<()> {
        let fails = self.0.0.lock().unwrap().syncs == Syncs::Fail;
        if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Disk for GatedDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.works().and_then(|()| LocalDisk.create_dir(path))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.works()?;
        Ok(Box::new(GatedFile { disk: self.clone(), file: LocalDisk.create(path)?, written: Vec::new() }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        LocalDisk.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.works().and_then(|()| LocalDisk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        LocalDisk.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.works().and_then(|()| LocalDisk.sync_dir(path))
    }
}

impl Write for GatedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.written.extend(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DiskFile for GatedFile {
    fn sync_data(&mut self) -> io::Result<()> {
        let (gate, told) = &*self.disk.0;
        let mut gate = told.wait_while(gate.lock().unwrap(), |gate| gate.syncs == Syncs::Wait).unwrap();
        if gate.syncs == Syncs::Fail {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.sync_data()?;
        gate.durable.append(&mut self.written);
        Ok(())
    }
}
