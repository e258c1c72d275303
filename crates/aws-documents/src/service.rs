//! ECS services: what CreateService would reject, what Service Connect needs in the task definition, and what differs
//! from a running service.

mod compare;
mod connect;
mod fields;
mod network;
mod normalise;
mod rules;
mod setting;

pub use compare::{
    Difference, NEEDS_DEPLOYMENT, NEEDS_FORCE, ONLY_NEW_TASKS, UNCHANGEABLE, complete, difference, update,
};
pub use connect::changed_protocols;
pub use network::fill;
pub use normalise::Namespaces;
pub use rules::check;
pub use setting::Setting;

#[cfg(test)]
mod tests;
