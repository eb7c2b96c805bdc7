//! Commands on paper: what a step stands for before anything was read.

use super::command::quoted;
use super::input::Inputs;

/// Fills a pattern: `<input>` with what is given, and as it stands where nothing is; `[ --flag=<input>]` is
/// left out without it.
pub(super) fn fill(pattern: &str, inputs: &Inputs) -> String {
    let mut filled = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('[') {
        let (before, optional) = rest.split_at(at);
        let (inside, behind) = optional[1..].split_once(']').unwrap_or((&optional[1..], ""));
        filled.push_str(&put(before, inputs).0);
        let (text, whole) = put(inside, inputs);
        filled.push_str(if whole { &text } else { "" });
        rest = behind;
    }
    filled + &put(rest, inputs).0
}

/// A part of a pattern, and whether all its inputs are given.
fn put(part: &str, inputs: &Inputs) -> (String, bool) {
    let mut text = String::new();
    let mut whole = true;
    let mut rest = part;
    while let Some((before, name, behind)) = hole(rest) {
        text.push_str(before);
        match inputs.get(name) {
            Some(value) => text.push_str(&quoted(value)),
            None => {
                whole = false;
                text.extend(["<", name, ">"]);
            }
        }
        rest = behind;
    }
    (text + rest, whole)
}

fn hole(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('<')?;
    let (name, behind) = rest.split_once('>')?;
    Some((before, name, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_stays_open_or_is_left_out() {
        let pattern = "kubectl scale deployment/<name> --replicas=<replicas>[ -n <namespace>]";
        let some: Inputs = [("name", "a b"), ("namespace", "shop")].into_iter().collect();
        assert_eq!(fill(pattern, &some), "kubectl scale deployment/'a b' --replicas=<replicas> -n shop");
        assert_eq!(
            fill(pattern, &Inputs::default()),
            "kubectl scale deployment/<name> --replicas=<replicas>"
        );
    }
}
