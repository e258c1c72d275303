//! The end-to-end tests: one binary, one module a subject.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod common_behaviour;
mod create_repository;
mod dist;
mod ecr_login;
mod gate;
mod health_check;
mod launchers;
mod put_params;
mod repository_rules;
mod sandbox;
mod sandbox_journey;
mod workspace_tasks;
