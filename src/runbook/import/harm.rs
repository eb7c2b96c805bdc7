//! Words that say that something is changed or taken away, in the names and arguments of programs.

/// Words of what cannot be taken back.
const DESTROYS: &[&str] = &[
    "delete",
    "destroy",
    "down",
    "drop",
    "flush",
    "flushall",
    "flushdb",
    "format",
    "kill",
    "migrate",
    "migration",
    "prune",
    "purge",
    "remove",
    "reset",
    "restore",
    "revert",
    "rm",
    "rollback",
    "terminate",
    "truncate",
    "uninstall",
    "wipe",
];

/// Words of an exec that change something, in databases and files.
const CHANGES: &[&str] = &[
    "alter",
    "config",
    "copy",
    "create",
    "fix",
    "grant",
    "insert",
    "into",
    "nextval",
    "set",
    "set_config",
    "setval",
    "update",
    "write",
    "dblink_exec",
    "lo_export",
    "lo_import",
    "lo_unlink",
    "pg_cancel_backend",
    "pg_promote",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_switch_wal",
    "pg_terminate_backend",
];

/// Whether a word says that something is taken away that does not come back.
pub(super) fn destroys(texts: &[String]) -> bool {
    let parts = texts.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    parts.map(str::to_lowercase).any(|part| DESTROYS.contains(&part.as_str()))
}

/// Whether words say that something is changed or taken away.
pub(super) fn changing(texts: &[String]) -> bool {
    let parts = texts.iter().flat_map(|text| text.split(|c: char| !(c.is_alphanumeric() || c == '_')));
    destroys(texts) || parts.map(str::to_lowercase).any(|part| CHANGES.contains(&part.as_str()))
}

/// The name of a program without its folder.
pub(super) fn name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_within_others() {
        let told = |text: &str| (destroys(&[text.to_owned()]), changing(&[text.to_owned()]));
        assert_eq!(told("./scripts/Rollback-migration.sh"), (true, true));
        assert_eq!(told("pg_cancel_backend(1)"), (false, true));
        assert_eq!((told("deleted_at"), name("/usr/bin/df")), ((false, false), "df"));
    }
}
