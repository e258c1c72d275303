//! The sandbox's database, and the roles and databases that a test creates in it.

use support::Tool;
use support::sandbox::{Sandbox, sandbox};

/// The sandbox's database, and the parts of its connection string.
pub(super) struct Database {
    pub(super) sandbox: &'static Sandbox,
    pub(super) user: String,
    password: String,
    /// `localhost:PORT`
    pub(super) host: String,
    pub(super) name: String,
    /// The file with the CA certificate.
    pub(super) root: String,
}

impl Database {
    pub(super) fn of_sandbox() -> Self {
        let sandbox = sandbox();
        let url = sandbox.get("CONNECTION_URL");
        let rest = url.strip_prefix("postgresql://").unwrap();
        let (credentials, rest) = rest.split_once('@').unwrap();
        let (user, password) = credentials.split_once(':').unwrap();
        let (host, rest) = rest.split_once('/').unwrap();
        let (name, query) = rest.split_once('?').unwrap();
        let root = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("sslrootcert="))
            .unwrap();
        Database {
            sandbox,
            user: user.to_owned(),
            password: password.to_owned(),
            host: host.to_owned(),
            name: name.to_owned(),
            root: root.to_owned(),
        }
    }

    pub(super) fn port(&self) -> &str {
        self.host.split_once(':').unwrap().1
    }

    /// The connection string with another query.
    pub(super) fn url(&self, query: &str) -> String {
        self.url_at(&self.host, query)
    }

    pub(super) fn url_at(&self, host: &str, query: &str) -> String {
        self.url_of(&self.user, &self.password, host, &self.name, query)
    }

    fn url_of(&self, user: &str, password: &str, host: &str, name: &str, query: &str) -> String {
        format!("postgresql://{user}:{password}@{host}/{name}?{query}")
    }

    fn psql(&self) -> Tool {
        self.sandbox.program("psql").args([
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            self.sandbox.get("CONNECTION_URL"),
        ])
    }

    #[track_caller]
    pub(super) fn sql(&self, commands: &[&str]) -> String {
        let commands = commands.iter().flat_map(|command| ["-c", command]);
        self.psql().arg("-At").args(commands).run().exits(0).stdout
    }
}

/// A role, with a database if the test needs one. Both are removed at the end of the test.
pub(super) struct Role<'a> {
    database: &'a Database,
    pub(super) name: String,
    pub(super) password: String,
    databases: Vec<String>,
}

impl<'a> Role<'a> {
    pub(super) fn new(database: &'a Database, password: &str, options: &str) -> Self {
        let name = database.sandbox.unique("role").replace('-', "_");
        database.sql(&[&format!("create role {name} password '{password}' {options}")]);
        Role {
            database,
            name,
            password: password.to_owned(),
            databases: Vec::new(),
        }
    }

    pub(super) fn with_database(mut self, change: &str) -> Self {
        let name = self.database.sandbox.unique("db").replace('-', "_");
        self.databases.push(name.clone());
        self.database.sql(&[
            &format!("create database {name} template template0"),
            &change.replace("NAME", &name),
        ]);
        self
    }

    pub(super) fn url(&self, query: &str) -> String {
        let name = self.databases.first().unwrap_or(&self.database.name);
        self.url_with(&self.password, name, query)
    }

    pub(super) fn url_with(&self, password: &str, name: &str, query: &str) -> String {
        let database = self.database;
        database.url_of(&self.name, password, &database.host, name, query)
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        let databases = self.databases.iter();
        let databases = databases.map(|name| format!("drop database if exists {name}"));
        for command in databases.chain([format!("drop role if exists {}", self.name)]) {
            let _ = self.database.psql().args(["-c", &command]).command().output();
        }
    }
}
