//! The parameters that all attempts share, and the driver's configuration made from them.

use crate::endpoint::Endpoint;
use crate::tls::trust_store::TrustStore;
use conninfo::{ChannelBinding, ConnInfo, SessionAttrs};
use postgres::config as driver;
use secrecy::ExposeSecret;
use std::net::SocketAddr;
use std::sync::Arc;

pub(crate) struct Login<'a> {
    pub(crate) info: &'a ConnInfo,
    pub(crate) user: &'a str,
    pub(crate) trust: Option<Arc<TrustStore>>,
    /// What the session has to be like; less than the connection string requests on the second pass of
    /// `prefer-standby`.
    pub(crate) attrs: SessionAttrs,
}

impl Login<'_> {
    pub(crate) fn driver_config(&self, endpoint: &Endpoint) -> postgres::Config {
        let info = self.info;
        let mut config = postgres::Config::new();
        config.user(self.user);
        if let Some(password) = &info.password {
            config.password(password.expose_secret());
        }
        if let Some(dbname) = &info.dbname {
            config.dbname(dbname);
        }
        if let Some(options) = &info.options {
            config.options(options);
        }
        config.application_name(info.application_name.as_deref().unwrap_or("db-test"));
        config.channel_binding(match info.channel_binding {
            ChannelBinding::Disable => driver::ChannelBinding::Disable,
            ChannelBinding::Prefer => driver::ChannelBinding::Prefer,
            ChannelBinding::Require => driver::ChannelBinding::Require,
        });
        match endpoint {
            Endpoint::Tcp { host, address } => {
                config.host(host).port(address.port());
                // `hostaddr` can't express an IPv6 zone: the driver then resolves the literal in `host`.
                if !matches!(address, SocketAddr::V6(address) if address.scope_id() != 0) {
                    config.hostaddr(address.ip());
                }
                // With these two the driver sends no SSLRequest of its own and passes the bare socket to
                // `Negotiator`, which implements libpq's modes.
                config
                    .ssl_mode(driver::SslMode::Require)
                    .ssl_negotiation(driver::SslNegotiation::Direct);
            }
            Endpoint::Socket { directory, port } => {
                config
                    .host_path(directory)
                    .port(*port)
                    .ssl_mode(driver::SslMode::Disable);
            }
        }
        config
    }
}
