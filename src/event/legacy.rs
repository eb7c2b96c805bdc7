//! Events as earlier releases recorded them, turned into what this one records.

use super::{Does, Event, Operator, Purpose};
use crate::clean::Clean;

impl Event {
    /// The same fact as this release records it. A `:` command was its line, which every replay parsed.
    #[must_use]
    pub fn upgraded(self) -> Self {
        match self {
            Self::Operator(Operator::Entered { purpose: Purpose::Command, text: line }) => {
                let does = line.raw().parse().map_or_else(|_| Does::Nothing(Clean::default()), Does::Act);
                Self::Operator(Operator::Command { line, does })
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keymap::Action;

    #[test]
    fn a_line_of_an_earlier_release_is_what_it_was_then() {
        let read = |line: &str| {
            let json = format!(r#"{{"operator":{{"entered":{{"purpose":"command","text":"{line}"}}}}}}"#);
            match serde_json::from_str::<Event>(&json).unwrap().upgraded() {
                Event::Operator(Operator::Command { line: kept, does }) if *kept.raw() == *line => does,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(read(" disarm "), Does::Act(Action::Disarm));
        assert_eq!(read("ns shop prod"), Does::Act(Action::Namespaces("shop prod".into())));
        assert_eq!(read("scale deployment=worker replicas=3"), Does::Nothing(Clean::default()));
        let note: Event = serde_json::from_str(r#"{"operator":{"entered":{"purpose":"note","text":"arm"}}}"#).unwrap();
        assert_eq!(note.clone().upgraded(), note);
    }
}
