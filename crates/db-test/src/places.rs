//! From the hosts of a connection string to where a socket can be connected.

use conninfo::{Host, Target};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// One thing to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Address {
        /// The host as it was named.
        host: String,
        address: SocketAddr,
    },
    Socket {
        folder: PathBuf,
        port: u16,
    },
}

impl Place {
    /// For people: `10.0.1.23:5432`, or the path of the socket.
    pub(crate) fn label(&self) -> String {
        match self {
            Place::Address { address, .. } => address.to_string(),
            Place::Socket { folder, port } => socket(folder, *port).display().to_string(),
        }
    }
}

/// The socket of the server with this port.
fn socket(folder: &Path, port: u16) -> PathBuf {
    folder.join(format!(".s.PGSQL.{port}"))
}

/// Where distributions and PostgreSQL itself put the socket when no folder is named.
const FOLDERS: [&str; 3] = ["/var/run/postgresql", "/run/postgresql", "/tmp"];

/// What became of a host.
pub(crate) enum Found {
    /// Its addresses had to be looked up.
    Looked(Vec<Place>, Duration),
    /// There was nothing to look up, for this reason.
    Known(Vec<Place>, String),
}

/// Why a host has no addresses.
#[derive(Debug)]
pub(crate) enum LookupError {
    Failed(io::Error),
    Empty,
    TimedOut,
    /// No host is named, and no local server has a socket.
    NoSocket,
}

/// Finds the places of a target. A look-up that does not come back is given up at `limit`.
pub(crate) fn find(target: &Target, limit: Instant) -> Result<Found, LookupError> {
    let port = target.port;
    let host = match &target.host {
        Host::Name(name) => name.clone(),
        Host::Socket(folder) => {
            let folder = folder.clone();
            return Ok(Found::Known(
                vec![Place::Socket { folder, port }],
                "not needed for a socket".to_owned(),
            ));
        }
        Host::Default => return local(port, &FOLDERS.map(Path::new)),
    };
    let at = |ip: IpAddr| Place::Address {
        host: host.clone(),
        address: SocketAddr::new(ip, port),
    };
    if let Some(ip) = target.address {
        return Ok(Found::Known(
            vec![at(ip)],
            format!("not needed: hostaddr is {ip}"),
        ));
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(Found::Known(
            vec![at(ip)],
            format!("not needed: {ip} is an address"),
        ));
    }
    // An image made from scratch has no hosts file, and a name server elsewhere may not know this name.
    if host.eq_ignore_ascii_case("localhost") {
        let loopback = [
            IpAddr::from(Ipv4Addr::LOCALHOST),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        ];
        return Ok(Found::Known(
            loopback.into_iter().map(at).collect(),
            "not needed: localhost is 127.0.0.1 and ::1".to_owned(),
        ));
    }
    let start = Instant::now();
    let mut addresses = look_up(&host, port, limit)?;
    // One that answers for both kinds of sockets comes twice.
    addresses.dedup();
    if addresses.is_empty() {
        return Err(LookupError::Empty);
    }
    let places = addresses.into_iter().map(|address| Place::Address {
        host: host.clone(),
        address,
    });
    Ok(Found::Looked(places.collect(), start.elapsed()))
}

fn local(port: u16, folders: &[&Path]) -> Result<Found, LookupError> {
    let folder = folders.iter().find(|folder| socket(folder, port).exists());
    let folder = folder.ok_or(LookupError::NoSocket)?.to_path_buf();
    Ok(Found::Known(
        vec![Place::Socket { folder, port }],
        "no host is named: the local server's socket".to_owned(),
    ))
}

/// The system's look-up can't be cancelled; left alone in a thread it ends with the process.
fn look_up(host: &str, port: u16, limit: Instant) -> Result<Vec<SocketAddr>, LookupError> {
    let (sender, receiver) = channel();
    let name = host.to_owned();
    std::thread::Builder::new()
        .spawn(move || {
            let found = (name.as_str(), port).to_socket_addrs();
            sender.send(found.map(Iterator::collect))
        })
        .map_err(LookupError::Failed)?;
    match receiver.recv_timeout(limit.saturating_duration_since(Instant::now())) {
        Ok(found) => found.map_err(LookupError::Failed),
        Err(RecvTimeoutError::Timeout) => Err(LookupError::TimedOut),
        Err(RecvTimeoutError::Disconnected) => Err(LookupError::Empty),
    }
}

/// Puts `all` into a random order.
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
        match find(target, Instant::now()) {
            Ok(Found::Known(places, why)) => (places.iter().map(Place::label).collect(), why),
            _ => panic!("{target:?} was looked up"),
        }
    }

    #[test]
    fn what_is_known_is_not_looked_up() {
        for (host, address, places, why) in [
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
            assert_eq!(found, places, "{host:?}");
            assert_eq!(reason, why, "{host:?}");
        }
    }

    #[test]
    fn without_a_host_the_first_folder_with_a_socket_counts() {
        let folder = std::env::temp_dir().join(format!("db-test-places-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(socket(&folder, 5433), "").unwrap();
        let folders = [Path::new("/nowhere"), &folder];
        assert!(matches!(local(5432, &folders), Err(LookupError::NoSocket)));
        let found = local(5433, &folders);
        std::fs::remove_dir_all(&folder).unwrap();
        match found {
            Ok(Found::Known(places, _)) => assert_eq!(places, [Place::Socket { folder, port: 5433 }]),
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
