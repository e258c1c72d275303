//! What can be done about each fault.

mod tls;

use crate::fault::Context;
use crate::places::LookupError;
use crate::stages::Stage;
use crate::watch::NotPostgres;
use std::io::ErrorKind;

pub(crate) use tls::{of_broken_handshake, of_tls};

pub(crate) fn of_lookup(error: &LookupError) -> Option<String> {
    let hint = match error {
        LookupError::Failed(error) => {
            let text = error.to_string();
            // The words of glibc and of musl.
            if text.contains("Temporary failure") || text.contains("Try again") {
                "the name server does not answer: look at the network and /etc/resolv.conf"
            } else {
                "look at the spelling; a private endpoint has a name only inside its VPC"
            }
        }
        LookupError::Empty => "look at the spelling; a private endpoint has a name only inside its VPC",
        LookupError::TimedOut => "the name server does not answer: look at the network and /etc/resolv.conf",
        LookupError::NoSocket => {
            "name the host: postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or set PGHOST"
        }
    };
    Some(hint.to_owned())
}

pub(crate) fn of_silence(stage: Stage, context: &Context<'_>) -> String {
    match stage {
        Stage::Config | Stage::Dns | Stage::Tcp => format!(
            "usually a security group or a route: allow port {} from where this runs; on AWS look also whether the \
             instance is running, and public or in this VPC",
            context.port
        ),
        Stage::Tls | Stage::Auth | Stage::Query => {
            "a load balancer or pooler without a server behind it does so, and a server that is overloaded"
                .to_owned()
        }
    }
}

pub(crate) fn of_connect(kind: ErrorKind, context: &Context<'_>) -> Option<String> {
    let Context { host, port, .. } = context;
    let hint = match kind {
        ErrorKind::ConnectionRefused => format!("`{host}` is there, but nothing listens on port {port}"),
        ErrorKind::NotFound => "the server is not running, or keeps its socket in another folder: look at \
            unix_socket_directories"
            .to_owned(),
        ErrorKind::PermissionDenied => {
            "this process may not use the socket: look at unix_socket_permissions".to_owned()
        }
        ErrorKind::TimedOut => return Some(of_silence(Stage::Tcp, context)),
        _ => "there is no route to the address: look at the network, at a VPN, and at IPv6".to_owned(),
    };
    Some(hint)
}

pub(crate) fn of_stranger(error: NotPostgres, context: &Context<'_>) -> String {
    let what = match error.0 {
        b'H' => "it looks like an HTTP server",
        b'S' => "it looks like an SSH server",
        b'-' => "it looks like Redis",
        b'2' => "it looks like a mail or FTP server",
        _ => "something else listens there",
    };
    format!("{what}: is {} the right port?", context.port)
}

/// By the server's SQLSTATE and, where one code has many causes, its words.
pub(crate) fn of_server(code: &str, message: &str, context: &Context<'_>) -> Option<String> {
    let variable = context.variable;
    let says = |words: &str| message.contains(words);
    // RDS Proxy has words of its own, and no codes that are documented.
    if says("RDS Proxy requires TLS") || says("allowed only with SSL connections") {
        return Some("add sslmode=require to the URL".to_owned());
    }
    if says("proxy has no credentials for the role") {
        return Some("give the proxy a secret in Secrets Manager for this user".to_owned());
    }
    let hint = match code {
        "28P01" => format!(
            "the password in ${variable} is not this user's, or there is no such user; a user with rds_iam needs an \
             IAM token instead"
        ),
        "28000" if says("no encryption") || says("SSL off") => {
            "the server wants TLS (on RDS the parameter rds.force_ssl): use sslmode=require or stronger".to_owned()
        }
        "28000" if says("PAM authentication failed") || says("IAM authentication failed") => {
            "the IAM token was refused: it lasts 15 minutes, and wants the instance's own endpoint name, TLS and the \
             permission rds-db:connect"
                .to_owned()
        }
        "28000" if says("not permitted to log in") => "ALTER ROLE … LOGIN lets it in".to_owned(),
        "28000" if says("client certificate") => {
            "client certificates are not supported here: psql may still get in".to_owned()
        }
        "28000" if says("pg_hba.conf") => {
            "pg_hba.conf has no line that lets this user into this database from this address".to_owned()
        }
        "3D000" => format!("the login works: create the database, or correct its name in ${variable}"),
        "42501" if says("database") => "GRANT CONNECT ON DATABASE … TO … lets the user in".to_owned(),
        "42704" | "22023" => format!("look at `options` in ${variable}"),
        "53300" => "no connection is free: look at pg_stat_activity, raise the limit, or use a pooler".to_owned(),
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
