//! The next step for each error.

use crate::auth_sniffer::NotPostgres;
use crate::resolver::LookupError;
use crate::stages::Stage;
use std::io::ErrorKind;

/// What messages and hints name of the attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The host as the connection string names it.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    /// The variable that holds the connection string.
    pub(crate) variable: &'a str,
}

pub(crate) fn of_lookup(error: &LookupError) -> &'static str {
    match error {
        LookupError::Failed(_) | LookupError::NoAddress => {
            "check the spelling and the name server (/etc/resolv.conf); a private endpoint resolves only inside its VPC"
        }
        LookupError::TimedOut => "the name server does not respond: check the network and /etc/resolv.conf",
        LookupError::NoSocket => {
            "name the host: postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or set PGHOST"
        }
    }
}

pub(crate) fn of_timeout(stage: Stage, context: &Context<'_>) -> String {
    match stage {
        Stage::Config | Stage::Dns | Stage::Tcp => format!(
            "usually a security group or a route: allow port {} from this machine; on AWS also check that the instance \
             is running, and public or in this VPC",
            context.port
        ),
        Stage::Tls | Stage::Auth | Stage::Query => {
            "likely an overloaded server, or a load balancer or pooler with no healthy target".to_owned()
        }
    }
}

pub(crate) fn of_connect(kind: ErrorKind, context: &Context<'_>) -> String {
    let Context { host, port, .. } = context;
    match kind {
        ErrorKind::ConnectionRefused => format!("`{host}` is reachable, but nothing listens on port {port}"),
        ErrorKind::NotFound => {
            "the server is not running, or has its socket in another directory: check unix_socket_directories"
                .to_owned()
        }
        ErrorKind::PermissionDenied => {
            "this process may not use the socket: check unix_socket_permissions".to_owned()
        }
        ErrorKind::TimedOut => of_timeout(Stage::Tcp, context),
        _ => "no route to the address: check the network, the VPN and IPv6".to_owned(),
    }
}

pub(crate) fn of_other_protocol(error: NotPostgres, context: &Context<'_>) -> String {
    let what = match error.0 {
        b'H' => "it looks like an HTTP server",
        b'S' => "it looks like an SSH server",
        b'-' => "it looks like Redis",
        b'2' => "it looks like a mail or FTP server",
        _ => "another service listens there",
    };
    format!("{what}: is {} the right port?", context.port)
}

/// By the SQLSTATE. Where the server uses one code for many causes, its text selects the hint, and nothing else.
pub(crate) fn of_server(code: &str, message: &str, context: &Context<'_>) -> Option<String> {
    let variable = context.variable;
    let has = |words: &str| message.contains(words);
    // RDS Proxy has its own texts, and documents no codes.
    if has("RDS Proxy requires TLS") || has("allowed only with SSL connections") {
        return Some("add sslmode=require to the URL".to_owned());
    }
    if has("proxy has no credentials for the role") {
        return Some("give the proxy a secret in Secrets Manager for this user".to_owned());
    }
    let hint = match code {
        "28P01" => format!(
            "the password in ${variable} is not this user's, or the user does not exist; a user with rds_iam needs an \
             IAM token instead"
        ),
        "28000" if has("no encryption") || has("SSL off") => {
            "the server requires TLS (on RDS the parameter rds.force_ssl): use sslmode=require or stronger".to_owned()
        }
        "28000" if has("PAM authentication failed") || has("IAM authentication failed") => {
            "the IAM token was refused: it is valid for 15 minutes, and requires the instance's own endpoint name, TLS \
             and the permission rds-db:connect"
                .to_owned()
        }
        "28000" if has("not permitted to log in") => "run ALTER ROLE … LOGIN on the server".to_owned(),
        "28000" if has("client certificate") => {
            "client certificates are not supported here: psql may still connect".to_owned()
        }
        "28000" if has("pg_hba.conf") => {
            "pg_hba.conf has no line that admits this user to this database from this address".to_owned()
        }
        "3D000" => format!("the login works: create the database, or correct its name in ${variable}"),
        "42501" if has("database") => "run GRANT CONNECT ON DATABASE … TO … on the server".to_owned(),
        "22023" if has("client_encoding") => "correct client_encoding, or PGCLIENTENCODING, or remove it".to_owned(),
        "42704" | "22023" => format!("check `options` in ${variable}"),
        "53300" => "no connection is free: check pg_stat_activity, raise the limit, or use a pooler".to_owned(),
        "55000" => "the database has ALLOW_CONNECTIONS false".to_owned(),
        "57P01" | "57P02" | "57P03" => {
            "the server is starting, stopping or recovering: try again in a moment".to_owned()
        }
        _ => return None,
    };
    Some(hint)
}

#[cfg(test)]
mod tests;
