//! Reads everything that a user may have written, before the screen is taken. Every file of the settings'
//! folder must be without mistakes, also those that are not in use now: who switches to one during an
//! incident must find it whole.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::documents::{self, Checked};
use super::{Paths, Places, Settings};
use crate::data::{self, Lazy, Location, Mistake, Problem};
use crate::event::Guardrail;
use crate::keymap::Keymap;
use crate::runbook::guardrails::{self, Placed};
use crate::runbook::{self, Runbook};
use crate::theme::{ColorDepth, Theme};

/// Everything that is data, read and without mistakes.
#[derive(Clone, Debug)]
pub struct Config {
    /// What `config.toml` says.
    pub settings: Settings,
    /// The runbook's steps.
    pub runbook: Runbook,
    /// All themes by name, at the terminal's depth; the chosen one is the first. Those that are built in and
    /// not chosen are read when somebody looks at them.
    pub themes: Vec<(String, Lazy<Theme>)>,
    /// All keymaps by name; the chosen one is the first. Read as the themes are.
    pub keymaps: Vec<(String, Lazy<Keymap>)>,
}

impl Config {
    /// The guardrails of the settings and of the runbook.
    pub fn guardrails(&self) -> Vec<Guardrail> {
        let all = self.settings.guardrails.iter().chain(&self.runbook.guardrails);
        all.map(|(guardrail, _)| guardrail.clone()).collect()
    }

    /// The chosen keymap.
    pub fn keymap(&self) -> &Keymap {
        &self.keymaps[0].1
    }
}

/// A file's name in reports, and its text.
type File = (String, String);

/// Reads `config.toml`, `keymaps/`, `themes/` and `runbooks/` of the settings' folder, for a terminal of this
/// depth. What is absent is as it is built in.
///
/// # Errors
/// All mistakes of all files.
pub fn load(paths: &Paths, depth: ColorDepth) -> Result<Config, Vec<Mistake>> {
    load_on(runbook::embedded(), paths, depth)
}

/// As [`load`], with another runbook below what the folder holds, unless the settings name one.
///
/// # Errors
/// As [`load`].
pub fn load_on(
    mut base: Result<Runbook, Vec<Mistake>>,
    paths: &Paths,
    depth: ColorDepth,
) -> Result<Config, Vec<Mistake>> {
    let mut found = Found::default();
    let settings = found.settings(&paths.config_dir.join("config.toml"));
    let [keymaps, themes, mut runbooks] =
        ["keymaps", "themes", "runbooks"].map(|name| found.folder(&paths.config_dir.join(name)));
    if let Some((Settings { runbook: Some(named), .. }, places)) = &settings {
        match named.to_str().and_then(runbook::built_in) {
            Some((file, text)) => base = runbook::read(file, text, None),
            None => runbooks.extend(found.file(&paths.config_dir.join(named), &places.runbook)),
        }
    }
    let runbook = found.runbook(base, &runbooks);
    if let (Some((settings, _)), Some(runbook)) = (&settings, &runbook) {
        found.guardrails(&settings.guardrails, runbook);
    }
    let keymaps = found.keymaps(settings.as_ref(), &keymaps, runbook.as_ref());
    let themes = found.themes(settings.as_ref(), &themes, depth);
    match (settings, runbook) {
        (Some((settings, _)), Some(runbook)) if found.0.is_empty() => {
            Ok(Config { settings, runbook, themes, keymaps })
        }
        _ => Err(found.report()),
    }
}

/// What is wrong in the settings' folder and in these files, which are told apart by their name, their folder
/// or what they hold. The documents that steps were imported from are looked at too.
pub fn check(paths: &Paths, files: &[PathBuf]) -> Checked {
    let (loaded, mistakes) = match load(paths, ColorDepth::TrueColor) {
        Ok(config) => (Some(config.runbook), Vec::new()),
        Err(mistakes) => (None, mistakes),
    };
    let mut found = Found(mistakes);
    let given: Vec<Runbook> = files.iter().filter_map(|path| found.check(path)).collect();
    let mut warnings = Found::default();
    for runbook in loaded.iter().chain(&given) {
        let documents = documents::check(runbook);
        found.0.extend(documents.mistakes);
        warnings.0.extend(documents.warnings);
    }
    Checked { mistakes: found.report(), warnings: warnings.report() }
}

/// The mistakes so far.
#[derive(Default)]
struct Found(Vec<Mistake>);

impl Found {
    fn report(mut self) -> Vec<Mistake> {
        self.0.sort();
        self.0.dedup();
        self.0
    }

    fn keep<T>(&mut self, result: Result<T, Vec<Mistake>>) -> Option<T> {
        result.map_err(|mistakes| self.0.extend(mistakes)).ok()
    }

    /// The text of a file that somebody named at `asked`.
    fn file(&mut self, path: &Path, asked: &Location) -> Option<File> {
        let unreadable = |error: io::Error| {
            vec![asked.mistake(Problem::new(format!("cannot read {}: {error}", path.display())))]
        };
        let text = self.keep(fs::read_to_string(path).map_err(unreadable))?;
        Some((path.display().to_string(), text))
    }

    /// All TOML files of a folder that may be absent, by name.
    fn folder(&mut self, path: &Path) -> Vec<File> {
        let place = Location::start_of(&path.display().to_string());
        let entries = match fs::read_dir(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
            entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
        };
        let unreadable =
            |error: io::Error| vec![place.mistake(Problem::new(format!("cannot list this folder: {error}")))];
        let entries = self.keep(entries.map_err(unreadable)).unwrap_or_default();
        let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        paths
            .iter()
            .filter_map(|path| self.file(path, &Location::start_of(&path.display().to_string())))
            .collect()
    }

    /// The settings as far as they could be read; without a file all is as usual.
    fn settings(&mut self, path: &Path) -> Option<(Settings, Places)> {
        let name = path.display().to_string();
        let text = if path.exists() { self.file(path, &Location::start_of(&name))?.1 } else { String::new() };
        let (settings, mistakes) =
            data::read_partly(&name, &text, "setting", |root| (Settings::read(root), Places::read(root)));
        self.0.extend(mistakes);
        settings
            .map(|(settings, places)| (settings.seen_from(path.parent().unwrap_or(Path::new(""))), places))
    }

    /// The steps of a runbook with those of the files over them, as far as they could be read.
    fn runbook(&mut self, base: Result<Runbook, Vec<Mistake>>, files: &[File]) -> Option<Runbook> {
        let mut whole = self.keep(base);
        for (name, text) in files {
            let find = |wanted: &str| included(name, wanted);
            whole = self.keep(runbook::read_with(name, text, whole.clone(), &find)).or(whole);
        }
        whole
    }

    /// Guardrails that conflict, or that are of no step.
    fn guardrails(&mut self, of_settings: &[Placed], runbook: &Runbook) {
        let all = [of_settings, &runbook.guardrails].concat();
        let steps: Vec<&str> = runbook.steps.iter().map(|step| step.id.as_str()).collect();
        self.0.extend(guardrails::mistaken(&all, &steps));
    }

    /// Every keymap, the chosen one first.
    fn keymaps(
        &mut self,
        settings: Option<&(Settings, Places)>,
        files: &[File],
        runbook: Option<&Runbook>,
    ) -> Vec<(String, Lazy<Keymap>)> {
        let files: Vec<(&str, &str)> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let chosen = settings.and_then(|(settings, _)| settings.keymap.as_deref()).unwrap_or(DEFAULT_KEYMAP);
        let place = settings.map_or_else(|| Location::start_of(""), |(_, places)| places.keymap.clone());
        let others = Keymap::names(&files).into_iter().filter(|name| *name != chosen);
        let steps: Vec<&str> =
            runbook.into_iter().flat_map(|runbook| &runbook.steps).map(|step| step.id.as_str()).collect();
        let load = |name: &str| {
            if files.is_empty() && name != chosen {
                let named = name.to_owned(); // built in: a test holds it to no mistakes
                let read = move || Keymap::named(&named, &Location::start_of(""), &[]).unwrap_or_default();
                return Some((name.to_owned(), Lazy::new(read)));
            }
            let keymap = self.keep(Keymap::named(name, &place, &files))?;
            self.0.extend(keymap.unknown_steps(&steps));
            Some((name.to_owned(), keymap.into()))
        };
        [chosen].into_iter().chain(others).filter_map(load).collect()
    }

    /// Every theme, the chosen one first.
    fn themes(
        &mut self,
        settings: Option<&(Settings, Places)>,
        files: &[File],
        depth: ColorDepth,
    ) -> Vec<(String, Lazy<Theme>)> {
        let files: Vec<(&str, &str)> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let usual = if depth > ColorDepth::Sixteen { "dark" } else { "sixteen" };
        let chosen = settings.and_then(|(settings, _)| settings.theme.as_deref()).unwrap_or(usual);
        let place = settings.map_or_else(|| Location::start_of(""), |(_, places)| places.theme.clone());
        let others = Theme::names(&files).into_iter().filter(|name| *name != chosen);
        let mut load = |name: &str| {
            Some((name.to_owned(), self.keep(Theme::load(name, &place, &files))?.at_depth(depth)))
        };
        let Some((name, theme)) = load(chosen) else {
            others.for_each(|name| drop(load(name)));
            return Vec::new();
        };
        let made = |name: &str| {
            if !files.is_empty() {
                return load(name).map(|(name, theme)| (name, theme.into()));
            }
            let named = name.to_owned(); // built in: a test holds it to no mistakes
            let instead = theme.clone();
            let read = move || {
                let read = Theme::load(&named, &Location::start_of(""), &[]);
                read.map_or(instead, |theme| theme.at_depth(depth))
            };
            Some((name.to_owned(), Lazy::new(read)))
        };
        let others: Vec<_> = others.filter_map(made).collect();
        [(name, theme.into())].into_iter().chain(others).collect()
    }

    /// Looks at one file; answers the runbook, where it is one.
    fn check(&mut self, path: &Path) -> Option<Runbook> {
        let name = path.display().to_string();
        let place = Location::start_of(&name);
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        let file = self.file(path, &place)?;
        if path.file_name().is_some_and(|file| file == "config.toml") {
            self.settings(path);
        } else if folder == "keymaps" {
            let siblings = self.folder(path.parent().unwrap_or(path));
            let runbook = self.runbook(runbook::embedded(), &[]);
            self.keymaps(None, &siblings, runbook.as_ref());
        } else if folder == "themes" {
            let siblings = self.folder(path.parent().unwrap_or(path));
            self.themes(None, &siblings, ColorDepth::TrueColor);
        } else if folder == "runbooks" || holds_steps(&file.1) {
            return self.runbook(runbook::embedded(), &[file]);
        } else {
            let message = "cannot tell what this file is: it is not config.toml, nor in a folder keymaps, themes or runbooks, and has no [[steps]]";
            self.0.push(place.mistake(Problem::new(message)));
        }
        None
    }
}

/// Whether a file is a runbook, wherever it stands.
fn holds_steps(text: &str) -> bool {
    text.lines().any(|line| ["[[steps]]", "[[flags]]", "[[include]]"].contains(&line.trim()))
}

/// The keymap when the settings name none.
const DEFAULT_KEYMAP: &str = "default";

/// A file that another, `by`, includes: beside it.
fn included(by: &str, wanted: &str) -> Result<runbook::Include, Problem> {
    let path = Path::new(by).parent().unwrap_or(Path::new("")).join(wanted);
    let text = fs::read_to_string(&path);
    let text = text.map_err(|error| {
        Problem::new(format!("cannot read {}, looked for beside {by}: {error}", path.display()))
    })?;
    Ok((path.display().to_string(), text))
}
