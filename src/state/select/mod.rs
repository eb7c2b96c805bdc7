//! What of the state is shown: the rows of each list, what a typed line can be completed to, what is
//! suggested, the object in hand. Shared by the keys, which move over it, and by the view, which draws it.

pub(in crate::state) mod changes;
pub(in crate::state) mod completion;
pub(in crate::state) mod fuzzy;
pub(in crate::state) mod rows;
pub(in crate::state) mod selection;
pub(in crate::state) mod suggest;
pub(in crate::state) mod timeline;
pub(in crate::state) mod trouble;
