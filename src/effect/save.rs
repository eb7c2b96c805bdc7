//! Saves what a viewer sees of logs: clean text, not the raw bytes, in a file that only this user can read.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};

use super::LogCopy;
use crate::clean::Clean;
use crate::units;

/// Writes the file; answers what to tell.
pub(super) async fn save(data: PathBuf, copy: LogCopy, now: DateTime<Utc>) -> Clean {
    let folder = data.join("logs");
    let lines = copy.lines.len();
    let written = tokio::task::spawn_blocking({
        let folder = folder.clone();
        move || write(&folder, &copy, now)
    });
    let told = match written.await {
        Ok(Ok(path)) => format!("saved {}, cleaned: {}", units::counted(lines, "line"), path.display()),
        Ok(Err(error)) => format!(
            "not saved in {}: {error}; make that folder writable, or set WARROOM_DATA_DIR",
            folder.display()
        ),
        Err(error) => format!("not saved: {error}"),
    };
    told.into()
}

/// `logs/medcontracthub-app-20261123T144632.500Z.log`, new, 0600.
fn write(folder: &Path, copy: &LogCopy, now: DateTime<Utc>) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let name: String = copy
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') { c } else { '-' })
        .collect();
    let path = folder.join(format!("{name}-{}.log", now.format("%Y%m%dT%H%M%S%.3fZ")));
    let mut file = BufWriter::new(OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?);
    for line in &copy.lines {
        let at = line.at.to_rfc3339_opts(SecondsFormat::Nanos, true);
        let source = copy.sources.get(usize::from(line.stream));
        let (pod, container) =
            source.map_or(("-", "-"), |source| (source.pod.as_str(), source.container.as_str()));
        let mark = if line.mark { "-- " } else { "" };
        writeln!(file, "{at} {pod} {container} {mark}{}", line.text.text())?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::clean::Styled;
    use crate::event::{Level, LogLine, LogSource};

    #[tokio::test]
    async fn what_is_saved_is_clean_private_and_said() {
        let data = tempfile::tempdir().unwrap();
        let source = LogSource {
            namespace: "ns".into(),
            pod: "app-1".into(),
            uid: "u".into(),
            container: "app".into(),
        };
        let line = LogLine {
            at: DateTime::UNIX_EPOCH,
            stream: 0,
            level: Level::Unsaid,
            mark: false,
            text: Styled::new("\u{1b}[31mred\u{1b}[0m \u{7}"),
        };
        let copy = LogCopy { name: "../app".into(), sources: vec![source], lines: vec![line] };
        let told = save(data.path().to_owned(), copy, DateTime::UNIX_EPOCH).await;
        let path = data.path().join("logs/..-app-19700101T000000.000Z.log");
        assert_eq!(told, format!("saved 1 line, cleaned: {}", path.display()).as_str());
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "1970-01-01T00:00:00.000000000Z app-1 app red ␇\n"
        );
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
