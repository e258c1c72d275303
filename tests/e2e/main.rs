//! The end-to-end tests: one binary, one module a subject.

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by a panic")]

mod base_image;
mod common_behaviour;
mod create_cluster;
mod create_log_group;
mod create_repository;
mod create_roles;
mod create_tools;
mod db_test;
mod demo;
mod deploy_service;
mod dist;
mod ecr_login;
mod emulator;
mod endings;
mod example_app;
mod gate;
mod health_check;
mod launchers;
mod profiles;
mod push_image;
mod put_params;
mod register_task_definition;
mod repository_rules;
mod sandbox;
mod sandbox_journey;
mod workspace_tasks;
