//! Makes one resource of an account what the configuration says: look, plan, ask, create or change, wait until it is
//! shown, report.

pub mod backoff;
pub mod confirm;
pub mod lookup;
pub mod plan;
pub mod tags;

pub use backoff::Backoff;
pub use lookup::Lookup;
pub use plan::{Plan, Step};
pub use tags::Tags;
