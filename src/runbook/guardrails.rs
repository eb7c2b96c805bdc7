//! Reads guardrails, which stand in settings and in runbooks alike, and finds those that conflict.

use crate::clean::Clean;
use crate::data::{Location, Mistake, Problem, Reader};
use crate::event::{Guardrail, Rule};

/// A guardrail, and where it stands.
pub type Placed = (Guardrail, Location);

/// Reads the tables `[[guardrails]]`.
pub fn guardrails(root: &mut Reader<'_>) -> Vec<Placed> {
    let mut tables = root.tables("guardrails", "field of a guardrail");
    tables.iter_mut().filter_map(guardrail).collect()
}

fn guardrail(table: &mut Reader<'_>) -> Option<Placed> {
    let rule: Option<Rule> = table.required("rule");
    let why: Option<String> = table.required("why");
    let mut text = |key| table.get::<String>(key).map(Clean::from);
    let (context, namespace, step, severity) =
        (text("context"), text("namespace"), text("step"), text("severity"));
    for (key, pattern) in [("context", &context), ("namespace", &namespace)] {
        if pattern.as_ref().is_some_and(|pattern| pattern.trim_end_matches('*').contains('*')) {
            let why = "a * stands at the end, for all that begins so: \"prod*\"";
            table.fault_at(&table.place_of(key), Problem::new(why));
        }
    }
    let hours = table.get("hours");
    let place = table.place();
    Some((Guardrail { rule: rule?, context, namespace, step, hours, severity, why: why?.into() }, place))
}

/// Finds guardrails that name the same and ask for different things, and those of no step of these.
pub fn mistaken(all: &[Placed], steps: &[&str]) -> Vec<Mistake> {
    let conflict = |at: usize, (rail, place): &Placed| {
        let (other, before) = all[..at].iter().find(|(other, _)| rail.conflicts(other))?;
        let why = format!(
            "this guardrail asks for {} where the one at {before} asks for {} ({}): keep one of them",
            rail.rule,
            other.rule,
            rail.scope()
        );
        Some(place.mistake(Problem::new(why)))
    };
    let conflicts = all.iter().enumerate().filter_map(|(at, one)| conflict(at, one));
    let unknown = |(rail, place): &Placed| {
        let step = rail.step.as_ref().filter(|step| !steps.contains(&step.as_str()))?;
        Some(place.mistake(Problem::unknown("step", step, steps.iter().copied())))
    };
    conflicts.chain(all.iter().filter_map(unknown)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read;

    const RAILS: &str = "\
[[guardrails]]
rule = 'deny'
step = 'drain'
why = 'nobody drains'

[[guardrails]]
rule = 'confirm-by-name'
namespace = 'payments'
hours = '22:00-06:00'
why = 'nobody is there to help'

[[guardrails]]
rule = 'two-people'
namespace = 'payments'
hours = '22:00-06:00'
why = 'four eyes'
";

    #[test]
    fn what_conflicts_or_names_no_step_is_told_with_both_places() {
        let all = read("r.toml", RAILS, "setting", guardrails).unwrap();
        assert_eq!((all.len(), all[1].0.scope()), (3, "changes in payments, 22:00-06:00 UTC".to_owned()));
        let told: Vec<String> = mistaken(&all, &["drain"]).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["r.toml:12:1: this guardrail asks for two-people where the one at r.toml:6:1 asks for \
              confirm-by-name (changes in payments, 22:00-06:00 UTC): keep one of them"]
        );
        let told: Vec<String> = mistaken(&all[..2], &["drains"]).iter().map(ToString::to_string).collect();
        assert_eq!(told, [r#"r.toml:1:1: no such step "drain"; did you mean "drains"?"#]);
    }

    #[test]
    fn a_star_that_stands_elsewhere_than_at_the_end_is_a_mistake() {
        let of = |context: &str| format!("[[guardrails]]\nrule = 'deny'\nwhy = 'w'\ncontext = '{context}'\n");
        assert!(read("r.toml", &of("prod*"), "setting", guardrails).is_ok());
        for wrong in ["*prod*", "*-prod", "a*b"] {
            let told = read("r.toml", &of(wrong), "setting", guardrails).unwrap_err()[0].to_string();
            assert!(told.starts_with("r.toml:4:11: a * stands at the end"), "{told}");
        }
    }

    #[test]
    fn a_guardrail_needs_its_rule_and_its_reason() {
        let wrong = "[[guardrails]]\nrule = 'forbid'\nhours = 'night'\n";
        let told = read("r.toml", wrong, "setting", guardrails).unwrap_err();
        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|line| line.contains("no such rule of a guardrail \"forbid\"")), "{told:?}");
        assert!(told.iter().any(|line| line.contains("\"why\" is missing")), "{told:?}");
        assert!(told.iter().any(|line| line.contains("\"night\" are no hours")), "{told:?}");
    }
}
