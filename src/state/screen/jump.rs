//! Going to the row, among the pods, of what is in hand.

use super::list::ListView;
use crate::clean::Clean;
use crate::effect::Effect;
use crate::event::Uid;
use crate::state::{Focus, State, pod_lines, row_ids, row_of};

impl State {
    /// Goes to the row of what is in hand; of the timeline's newest entry where none is selected.
    pub fn jump(&mut self) -> Vec<Effect> {
        match (row_of(&self.frame()), self.screen.pages.last()) {
            (Some(uid), _) => self.go_to(&uid),
            (None, Some(page)) => self.screen.tell(self.now, page.rowless()),
            (None, None) => self.screen.tell(self.now, "its object is not in the cluster now"),
        }
        Vec::new()
    }

    /// Selects a workload or a pod in the pods pane; whatever hides it gives way.
    pub fn go_to(&mut self, uid: &Uid) {
        self.screen.pages.clear();
        self.screen.focus = Focus::Pods;
        let shown = |state: &Self| pod_lines(&state.frame()).iter().any(|line| line.id() == uid.recorded());
        if !shown(self) {
            let cluster = &self.world.cluster;
            let owner = cluster.pods.get(uid).and_then(|pod| cluster.workload_of(pod));
            self.screen.opened.extend(owner.map(|workload| workload.meta.uid.clone()));
        }
        if !shown(self) {
            self.screen.list_mut().filter = Clean::default();
            self.screen.faults_only = false;
        }
        self.select(uid.recorded().clone());
    }

    /// Selects a row of the focused pane.
    pub fn select(&mut self, id: Clean) {
        let ids = row_ids(&self.frame());
        ListView::select(self.screen.list_mut(), &ids, id);
    }
}
