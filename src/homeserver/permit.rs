//! The proof, in the type system, that a person agreed before anything is written to the server.

use http::Method;

/// A plan that somebody has read and agreed to by typing its word.
pub trait AgreedPlan: Send + Sync {
    /// Says whether a request is one of those the plan showed. `path` stands below the base URL and
    /// is percent-encoded, as it goes to the server; `query` likewise.
    fn covers(&self, method: &Method, path: &str, query: Option<&str>) -> bool;
}

/// Leave to send the writing requests of one plan, and no others: agreeing to heal version 4 does
/// not let anybody delete version 2.
///
/// Only `recovery`'s upkeep makes one; a test over the sources checks that.
pub struct WritePermit<'plan>(&'plan dyn AgreedPlan);

impl<'plan> WritePermit<'plan> {
    /// The permit for a plan that was agreed to; it cannot outlive the plan.
    pub fn for_agreed(plan: &'plan dyn AgreedPlan) -> Self {
        Self(plan)
    }

    pub(super) fn covers(&self, method: &Method, path: &str, query: Option<&str>) -> bool {
        self.0.covers(method, path, query)
    }
}
