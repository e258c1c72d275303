//! The end-to-end tests: one binary, one module a subject.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod common_behaviour;
mod create_cluster;
mod create_log_group;
mod create_repository;
mod create_roles;
mod deploy_service;
mod ecr_login;
mod gate;
mod launchers;
mod register_task_definition;
mod repository_rules;
mod sandbox_journey;
mod workspace_tasks;
