//! From the hosts of a connection string to endpoints.

use crate::endpoint::{Endpoint, socket_path};
use conninfo::{Host, Target};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The socket directories of distributions and of PostgreSQL's own build, for connection strings without a host.
const SOCKET_DIRECTORIES: [&str; 3] = ["/var/run/postgresql", "/run/postgresql", "/tmp"];

pub(crate) enum Resolution {
    /// From the system's resolver, which took this long.
    LookedUp(Vec<Endpoint>, Duration),
    /// No look-up was necessary, for this reason.
    Known(Vec<Endpoint>, String),
}

/// Why a host has no endpoints.
#[derive(Debug)]
pub(crate) enum LookupError {
    Failed(io::Error),
    NoAddress,
    TimedOut,
    /// The connection string names no host, and no local server has a socket.
    NoSocket,
}

/// The endpoints of a target. Stops waiting for the system's resolver at `deadline`.
pub(crate) fn resolve(target: &Target, deadline: Instant) -> Result<Resolution, LookupError> {
    let port = target.port;
    let host = match &target.host {
        Host::Name(name) => name.clone(),
        Host::Socket(directory) => {
            let directory = directory.clone();
            return Ok(Resolution::Known(
                vec![Endpoint::Socket { directory, port }],
                "not needed for a socket".to_owned(),
            ));
        }
        Host::Default => return local_socket(port, &SOCKET_DIRECTORIES.map(Path::new)),
    };
    let at = |ip: IpAddr| Endpoint::Tcp {
        host: host.clone(),
        address: SocketAddr::new(ip, port),
    };
    if let Some(ip) = target.address {
        return Ok(Resolution::Known(
            vec![at(ip)],
            format!("not needed: hostaddr is {ip}"),
        ));
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(Resolution::Known(
            vec![at(ip)],
            format!("not needed: {ip} is an address"),
        ));
    }
    // Not looked up: an image made from scratch has no hosts file, and name servers need not resolve this name.
    if host.eq_ignore_ascii_case("localhost") {
        let loopback = [
            IpAddr::from(Ipv4Addr::LOCALHOST),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        ];
        return Ok(Resolution::Known(
            loopback.into_iter().map(at).collect(),
            "not needed: localhost is 127.0.0.1 and ::1".to_owned(),
        ));
    }
    let start = Instant::now();
    let mut addresses = look_up(&host, port, deadline)?;
    // Some resolvers return an address once for each socket type.
    addresses.dedup();
    if addresses.is_empty() {
        return Err(LookupError::NoAddress);
    }
    let endpoints = addresses.into_iter().map(|address| Endpoint::Tcp {
        host: host.clone(),
        address,
    });
    Ok(Resolution::LookedUp(endpoints.collect(), start.elapsed()))
}

fn local_socket(port: u16, directories: &[&Path]) -> Result<Resolution, LookupError> {
    let mut directories = directories.iter();
    let directory = directories.find(|directory| socket_path(directory, port).exists());
    let directory = directory.ok_or(LookupError::NoSocket)?.to_path_buf();
    Ok(Resolution::Known(
        vec![Endpoint::Socket { directory, port }],
        "no host is named: the local server's socket".to_owned(),
    ))
}

/// The system's resolver can't be cancelled: it runs in a thread, which ends with the process.
fn look_up(host: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, LookupError> {
    let (sender, receiver) = channel();
    let name = host.to_owned();
    std::thread::Builder::new()
        .spawn(move || {
            let found = (name.as_str(), port).to_socket_addrs();
            sender.send(found.map(Iterator::collect))
        })
        .map_err(LookupError::Failed)?;
    match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(found) => found.map_err(LookupError::Failed),
        Err(RecvTimeoutError::Timeout) => Err(LookupError::TimedOut),
        Err(RecvTimeoutError::Disconnected) => Err(LookupError::NoAddress),
    }
}

/// A random order, for `load_balance_hosts=random`.
pub(crate) fn shuffle<T>(all: &mut [T]) {
    let random = RandomState::new();
    let mut number = 0_u64;
    all.sort_by_cached_key(|_| {
        number += 1;
        random.hash_one(number)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: Host, address: Option<&str>) -> Target {
        Target {
            host,
            address: address.map(|text| text.parse().unwrap()),
            port: 5432,
        }
    }

    fn known(target: &Target) -> (Vec<String>, String) {
        match resolve(target, Instant::now()) {
            Ok(Resolution::Known(endpoints, why)) => (endpoints.iter().map(Endpoint::label).collect(), why),
            _ => panic!("{target:?} was looked up"),
        }
    }

    #[test]
    fn what_is_known_is_not_looked_up() {
        for (host, address, endpoints, why) in [
            (
                Host::Name("10.0.0.1".into()),
                None,
                vec!["10.0.0.1:5432"],
                "not needed: 10.0.0.1 is an address",
            ),
            (
                Host::Name("::1".into()),
                None,
                vec!["[::1]:5432"],
                "not needed: ::1 is an address",
            ),
            (
                Host::Name("db.example".into()),
                Some("10.0.0.1"),
                vec!["10.0.0.1:5432"],
                "not needed: hostaddr is 10.0.0.1",
            ),
            (
                Host::Name("LocalHost".into()),
                None,
                vec!["127.0.0.1:5432", "[::1]:5432"],
                "not needed: localhost is 127.0.0.1 and ::1",
            ),
            (
                Host::Socket("/run/x".into()),
                None,
                vec!["/run/x/.s.PGSQL.5432"],
                "not needed for a socket",
            ),
        ] {
            let (found, reason) = known(&target(host.clone(), address));
            assert_eq!(found, endpoints, "{host:?}");
            assert_eq!(reason, why, "{host:?}");
        }
    }

    #[test]
    fn without_a_host_the_first_directory_with_a_socket_counts() {
        let directory = std::env::temp_dir().join(format!("db-test-resolver-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(socket_path(&directory, 5433), "").unwrap();
        let directories = [Path::new("/nowhere"), &directory];
        assert!(matches!(
            local_socket(5432, &directories),
            Err(LookupError::NoSocket)
        ));
        let found = local_socket(5433, &directories);
        std::fs::remove_dir_all(&directory).unwrap();
        match found {
            Ok(Resolution::Known(endpoints, _)) => {
                assert_eq!(
                    endpoints,
                    [Endpoint::Socket {
                        directory,
                        port: 5433
                    }]
                );
            }
            _ => panic!("the socket was not found"),
        }
    }

    #[test]
    fn a_shuffle_loses_nothing_and_leaves_no_order() {
        let sorted: Vec<u32> = (0..20).collect();
        let orders: Vec<Vec<u32>> = (0..8)
            .map(|_| {
                let mut all = sorted.clone();
                shuffle(&mut all);
                all
            })
            .collect();
        assert!(orders.iter().any(|order| *order != orders[0]));
        for mut order in orders {
            order.sort_unstable();
            assert_eq!(order, sorted);
        }
    }
}
