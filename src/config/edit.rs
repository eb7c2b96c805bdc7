//! Changes `config.toml` as `warroom init` finds things: tables are replaced whole, everything else stays as
//! its author left it, comments and order included. Files are written beside the old one and put in its
//! place: nobody ever reads half a file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use toml_edit::{DocumentMut, InlineTable, Item, Table, TomlError, value};

use super::{Auth, Endpoint, Kafka, Secret, Settings, Where};
use crate::data::{self, Mistake};

/// A table of the settings, and a comment above it.
#[derive(Clone, Debug)]
pub struct SettingsTable {
    name: &'static str,
    comment: String,
    table: Table,
}

impl SettingsTable {
    /// The table `name` that leads to this endpoint; files in `folder`, the settings' own, are named as seen
    /// from there.
    pub fn endpoint(name: &'static str, endpoint: &Endpoint, folder: &Path, comment: &str) -> Self {
        let file = |path: &Path| value(path.strip_prefix(folder).unwrap_or(path).display().to_string());
        let secret = |secret: &Secret| match secret {
            Secret::File(path) => ("file", file(path)),
            Secret::Env(name) => ("env", value(name)),
        };
        let mut table = Table::new();
        match &endpoint.place {
            Some(Where::At(address)) => drop(table.insert("url", value(address.as_str()))),
            Some(Where::In(service)) => drop(table.insert("service", value(service.to_string()))),
            None => {}
        }
        match &endpoint.auth {
            Auth::Open => {}
            Auth::Bearer(token) => {
                let (kind, named) = secret(token);
                table.insert(&format!("bearer_token_{kind}"), named);
            }
            Auth::Basic { user, password } => {
                let (kind, named) = secret(password);
                let mut basic = InlineTable::new();
                basic.insert("user", user.into());
                basic.extend(named.into_value().ok().map(|named| (format!("password_{kind}"), named)));
                table.insert("basic", value(basic));
            }
        }
        let tls = &endpoint.tls;
        let files = [
            ("ca_file", tls.ca_file.as_ref()),
            ("client_cert", tls.client.as_ref().map(|c| &c.0)),
            ("client_key", tls.client.as_ref().map(|c| &c.1)),
        ];
        for (key, path) in files {
            table.extend(path.map(|path| (key, file(path))));
        }
        if tls.insecure_skip_verify {
            table.insert("insecure_skip_verify", value(true));
        }
        Self { name, comment: comment.to_owned(), table }
    }

    /// The table of Kafka's broker.
    pub fn kafka(kafka: &Kafka, comment: &str) -> Self {
        let mut table = Table::new();
        table.insert("mode", value(kafka.mode.name()));
        table.extend(kafka.namespace.as_ref().map(|namespace| ("namespace", value(namespace))));
        table.insert("pod", value(&kafka.pod));
        table.insert("bootstrap", value(kafka.bootstrap.to_string()));
        Self { name: "kafka", comment: comment.to_owned(), table }
    }
}

/// Why tables cannot be put into a text.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotEdited {
    /// The text is no TOML.
    #[error(transparent)]
    NoToml(#[from] TomlError),
    /// It would no longer be settings.
    #[error("{}", joined(.0))]
    NoSettings(Vec<Mistake>),
}

fn joined(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The text of a `config.toml` with these tables instead of its own of these names.
///
/// # Errors
/// The text is no TOML, or would no longer be settings.
pub fn with(text: &str, entries: &[SettingsTable]) -> Result<String, NotEdited> {
    let mut document: DocumentMut = text.parse()?;
    for SettingsTable { name, comment, table } in entries {
        let before = if document.is_empty() { "" } else { "\n" };
        document.remove(name);
        let mut table = table.clone();
        table.decor_mut().set_prefix(format!("{before}# {comment}\n"));
        document.insert(name, Item::Table(table));
    }
    let text = document.to_string();
    let read = data::read("config.toml", &text, "setting", Settings::read);
    read.map(|_| text).map_err(NotEdited::NoSettings)
}

/// Writes a file that only its owner may read, whole or not at all; a link leads to the file that is written.
/// Makes its folder.
///
/// # Errors
/// The folder or the file cannot be written; the old file is as it was.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    let written =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.and_then(|()| fs::File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const OLD: &str = "# ours\ntheme = 'dark' # calm\nprometheus.url = 'http://old:9090'\n\n[rates] # of 5xx\nthreshold = 0.1\n";

    fn endpoint(text: &str) -> Endpoint {
        data::read("c", text, "setting", |root| root.get::<Endpoint>("p")).unwrap().unwrap()
    }

    #[test]
    fn tables_are_replaced_and_all_else_stays() {
        let service = endpoint("p.service = 'monitoring/prometheus-operated:9090'");
        let basic = endpoint(
            "p = { url = 'https://a', ca_file = '/etc/ca.pem', basic = { user = 'me', password_file = '/c/pass' } }",
        );
        let folder = Path::new("/c");
        let entries = [
            SettingsTable::endpoint("prometheus", &service, folder, "by init"),
            SettingsTable::endpoint("alertmanager", &basic, folder, "by init"),
            SettingsTable::kafka(&Kafka { namespace: Some("data".into()), ..Kafka::default() }, "by init"),
        ];
        let expected = "# ours\ntheme = 'dark' # calm\n\n[rates] # of 5xx\nthreshold = 0.1\n\n# by init\n[prometheus]\nservice = \"monitoring/prometheus-operated:9090\"\n\n\
                        # by init\n[alertmanager]\nurl = \"https://a\"\nbasic = { user = \"me\", password_file = \"pass\" }\nca_file = \"/etc/ca.pem\"\n\n\
                        # by init\n[kafka]\nmode = \"exec\"\nnamespace = \"data\"\npod = \"kafka-0\"\nbootstrap = \"kafka:9092\"\n";
        let once = with(OLD, &entries).unwrap();
        assert_eq!(once, expected);
        assert_eq!(with(&once, &entries).unwrap(), expected, "and once more changes nothing");
        assert!(with("", &entries).unwrap().starts_with("# by init\n[prometheus]\n"));
        assert!(matches!(with("theme = ", &entries), Err(NotEdited::NoToml(_))));
        let misspelt = with("them = 'dark'\n", &entries).unwrap_err();
        assert!(matches!(&misspelt, NotEdited::NoSettings(mistakes) if mistakes.len() == 1), "{misspelt}");
    }

    #[test]
    fn a_file_is_replaced_whole_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/config.toml");
        for text in ["one", "two"] {
            write_private(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let link = folder.path().join("link.toml");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write_private(&link, "three").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "three");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }
}
