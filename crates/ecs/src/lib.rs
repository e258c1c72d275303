//! What several tools ask of Amazon ECS, and of Cloud Map for its namespaces.

pub mod namespace;
