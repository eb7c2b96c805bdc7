//! What objects were before they are changed, kept as it is in files of their owner alone: raw, with their
//! secrets, and never shown.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Keeps a value in a file of the data folder, which must be new. Once this returns it is on the disk.
pub(super) async fn keep(data: &Path, file: &str, value: &Value) -> io::Result<()> {
    let path = data.join(file);
    let text = value.to_string();
    tokio::task::spawn_blocking(move || write(&path, &text))
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    File::open(folder)?.sync_all() // else the name may be lost
}

/// Reads what was kept in a file of the data folder.
pub(super) async fn kept(data: &Path, file: &str) -> io::Result<Value> {
    let path: PathBuf = data.join(file);
    let read = move || serde_json::from_slice(&std::fs::read(path)?).map_err(io::Error::from);
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn what_is_kept_is_private_and_never_written_over() {
        let data = tempfile::tempdir().unwrap();
        let value = json!([{"path": "/x", "object": {"data": {"password": "hunter2"}}}]);
        keep(data.path(), "reverts/a.json", &value).await.unwrap();
        assert_eq!(kept(data.path(), "reverts/a.json").await.unwrap(), value);
        let mode = std::fs::metadata(data.path().join("reverts/a.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(keep(data.path(), "reverts/a.json", &json!([])).await.is_err());
        assert_eq!(kept(data.path(), "reverts/a.json").await.unwrap(), value);
    }
}
