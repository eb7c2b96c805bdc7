//! What an event holds that is known to this process only: it is not recorded, and goes beside the recorded form.

use std::sync::Arc;

use crate::event::{Event, Intent, Op, Sealed, Typed};

/// See the module.
#[derive(Debug, Default)]
pub struct Private {
    intent: Option<OfIntent>,
}

/// The bodies of an intent's writes, the words of its commands, and the command that it stands for.
#[derive(Debug)]
struct OfIntent {
    ops: Vec<OfOp>,
    whole: Option<Arc<str>>,
}

#[derive(Debug)]
enum OfOp {
    Body(Sealed),
    Words(Vec<Typed>),
}

impl Private {
    /// What of an event is not recorded.
    pub fn of(event: &Event) -> Self {
        let Event::Intent(intent) = event else { return Self::default() };
        let of_op = |op: &Op| match op {
            Op::Write(write) => OfOp::Body(write.body.clone()),
            Op::Exec(exec) => OfOp::Words(exec.command.clone()),
        };
        let ops = intent.ops.iter().map(of_op).collect();
        Self { intent: Some(OfIntent { ops, whole: intent.command.whole.clone() }) }
    }

    /// Puts it back into the event as it is recorded, which stays the same to whoever reads it.
    pub fn restore(self, event: &mut Event) {
        if let (Event::Intent(intent), Some(private)) = (event, self.intent) {
            private.restore(intent);
        }
    }
}

impl OfIntent {
    fn restore(self, intent: &mut Intent) {
        intent.command.whole = self.whole;
        for (op, private) in intent.ops.iter_mut().zip(self.ops) {
            match (op, private) {
                (Op::Write(write), OfOp::Body(body)) => write.body = body,
                (Op::Exec(exec), OfOp::Words(words)) => {
                    for (word, private) in exec.command.iter_mut().zip(words) {
                        *word = Typed::hidden(private.raw(), word.shown());
                    }
                }
                _ => {}
            }
        }
    }
}
