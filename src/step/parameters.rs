//! What a runbook fixes of a kind of step beside its inputs, in the step's table `with`: whoever runs the
//! step cannot say otherwise.

use std::collections::BTreeMap;

/// A parameter of a kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterSpec {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: ParameterKind,
    /// Whether a runbook must give it.
    pub required: bool,
}

/// What a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Words.
    Text,
    /// Words, one after another.
    List,
    /// A number.
    Count,
}

/// Value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// Words.
    Text(String),
    /// Words, one after another.
    List(Vec<String>),
    /// A number.
    Count(u32),
}

/// What a runbook fixes of one step, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<&'static str, Parameter>);

impl Parameters {
    /// Returns a text, or `None` where the runbook gives none.
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Parameter::Text(text)) = self.0.get(name) { Some(text) } else { None }
    }

    /// Returns a list; empty where the runbook gives none.
    pub fn list(&self, name: &str) -> &[String] {
        if let Some(Parameter::List(list)) = self.0.get(name) { list } else { &[] }
    }

    /// Returns a number, or `None` where the runbook gives none.
    pub fn count(&self, name: &str) -> Option<u32> {
        if let Some(Parameter::Count(count)) = self.0.get(name) { Some(*count) } else { None }
    }
}

impl FromIterator<(&'static str, Parameter)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (&'static str, Parameter)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}
