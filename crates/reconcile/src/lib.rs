//! Makes the resources of an account what the configuration says: look, plan, ask, create or change, wait until the
//! service shows it, report. [`Resource`] is one kind of them, [`reconcile`] the loop.

pub mod backoff;
pub mod confirm;
mod driver;
pub mod lookup;
pub mod plan;
mod resource;
pub mod tags;

pub use backoff::Backoff;
pub use driver::{Mode, reconcile};
pub use lookup::Lookup;
pub use plan::{Plan, Step};
pub use resource::{Created, Resource};
pub use tags::Tags;
