//! What an event holds for this process alone: texts as they were typed, and the bodies of writes. It goes
//! beside the event while that is redacted for the journal, and comes back to it before it is carried out.

use super::{Does, Event, Intent, Op, Operator, Program, StepCall};

/// Parts of an event that are not recorded: what was typed, with its secrets.
#[derive(Default)]
pub struct Private(Option<Box<Event>>);

impl Private {
    /// Takes a copy of what an event holds, before it is redacted.
    pub fn of(event: &Event) -> Self {
        let holds = matches!(
            event,
            Event::Intent(_) | Event::Operator(Operator::Command { .. } | Operator::Entered { .. })
        );
        Self(holds.then(|| Box::new(event.clone())))
    }

    /// Puts it back into the same event, which was redacted. What is shown stays as it is recorded.
    pub fn restore(self, event: &mut Event) {
        match (self.0.map(|before| *before), event) {
            (Some(Event::Intent(before)), Event::Intent(intent)) => restore_intent(intent, *before),
            (Some(Event::Operator(before)), Event::Operator(operator)) => restore_operator(operator, before),
            _ => {}
        }
    }
}

fn restore_operator(operator: &mut Operator, before: Operator) {
    match (before, operator) {
        (Operator::Entered { text: before, .. }, Operator::Entered { text, .. }) => text.restore(&before),
        (Operator::Command { line: line_before, does: before }, Operator::Command { line, does }) => {
            line.restore(&line_before);
            match (before, does) {
                (Does::Begin(before), Does::Begin(call)) => restore_call(call, &before),
                (Does::Nothing(before), Does::Nothing(why)) => *why = before,
                _ => {}
            }
        }
        _ => {}
    }
}

fn restore_intent(intent: &mut Intent, before: Intent) {
    intent.command.whole = before.command.whole;
    for (op, before) in intent.ops.iter_mut().zip(before.ops) {
        match (op, before) {
            (Op::Write(write), Op::Write(before)) => write.body = before.body,
            (Op::Save(save), Op::Save(before)) => save.body = before.body,
            (Op::Exec(exec), Op::Exec(before)) => {
                exec.command.iter_mut().zip(&before.command).for_each(|(word, before)| word.restore(before));
            }
            (Op::Command(program), Op::Command(before)) => restore_program(program, &before),
            (Op::Copy(copy), Op::Copy(before)) => {
                copy.before.iter_mut().zip(&before.before).for_each(|(word, before)| word.restore(before));
                copy.path.restore(&before.path);
            }
            _ => {}
        }
    }
    restore_call(&mut intent.call, &before.call);
    if let (Some(undo), Some(before)) = (&mut intent.undo, &before.undo) {
        restore_call(undo, before);
    }
}

fn restore_program(program: &mut Program, before: &Program) {
    program.file.restore(&before.file);
    program.folder.restore(&before.folder);
    program.argv.iter_mut().zip(&before.argv).for_each(|(word, before)| word.restore(before));
}

/// An input whose name was taken for a secret stays as it is recorded: no other one gets its value.
fn restore_call(call: &mut StepCall, before: &StepCall) {
    for (name, value) in &mut call.inputs {
        if let Some(before) = before.inputs.get(name) {
            value.restore(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::Clean;
    use crate::event::{Typed, samples};
    use crate::journal::Redacted;

    fn recorded(event: Event) -> (String, Event) {
        let private = Private::of(&event);
        let redacted = Redacted::new(event).unwrap();
        let json = String::from_utf8(redacted.json().to_vec()).unwrap();
        let mut event = redacted.into_inner();
        private.restore(&mut event);
        (json, event)
    }

    #[test]
    fn what_was_typed_comes_through_and_is_not_recorded() {
        let inputs = [
            ("env", Typed::env("A=hunter2\t")),
            ("token", Typed::new("hunter2")),
            ("reason", Typed::new("password=hunter2")),
        ];
        let call = StepCall::new("set-env", inputs.map(|(name, value)| (name.into(), value)).into());
        let intent = Intent { call: call.clone(), undo: Some(call.clone()), ..samples::intent() };
        let command =
            |does| Operator::Command { line: Typed::hidden("set-env env=A=hunter2", "set-env …"), does };
        let events = [
            Event::Operator(command(Does::Begin(call))),
            Event::Operator(command(Does::Nothing("\"hunter2\": inputs are written name=value".into()))),
            Event::Intent(Box::new(intent)),
        ];
        for event in events {
            let (json, restored) = recorded(event.clone());
            assert!(!json.contains("hunter2"), "{json}");
            assert!(!format!("{restored:?}").contains("A=hunter2"), "{restored:?}");
            let raw = |event: &Event| match event {
                Event::Operator(Operator::Command { line, does: Does::Begin(call) }) => {
                    call.inputs.values().chain([line]).map(|typed| typed.raw().to_owned()).collect()
                }
                Event::Operator(Operator::Command { line, does: Does::Nothing(why) }) => {
                    vec![line.raw().to_owned(), why.to_string()]
                }
                Event::Intent(intent) => {
                    let calls = [&intent.call, intent.undo.as_ref().unwrap()];
                    calls
                        .iter()
                        .flat_map(|call| call.inputs.values())
                        .map(|typed| typed.raw().to_owned())
                        .collect()
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(raw(&restored), raw(&event));
        }
    }

    #[test]
    fn why_nothing_was_done_is_not_recorded() {
        let does = Does::Nothing("why".into());
        assert_eq!(serde_json::to_string(&does).unwrap(), "\"nothing\"");
        assert_eq!(serde_json::from_str::<Does>("\"nothing\"").unwrap(), Does::Nothing(Clean::default()));
    }
}
