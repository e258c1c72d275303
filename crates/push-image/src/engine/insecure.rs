//! The engine's `insecure-registries`: it connects to them by plain HTTP, or without verifying their certificates.

use bollard::models::RegistryServiceConfig;
use std::collections::HashMap;
use std::net::IpAddr;

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let network = Network {
            address: address.parse().ok()?,
            bits: bits.parse().ok()?,
        };
        let length = if network.address.is_ipv4() { 32 } else { 128 };
        (network.bits <= length).then_some(network)
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            // A shift by all bits is `None`: a network of 0 bits contains every address.
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differing = own.to_bits() ^ other.to_bits();
                differing.checked_shr(32 - self.bits).unwrap_or_default() == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differing = own.to_bits() ^ other.to_bits();
                differing.checked_shr(128 - self.bits).unwrap_or_default() == 0
            }
            _ => false,
        }
    }
}

/// The insecure registries of the engine's configuration.
#[derive(Debug, Default)]
pub(super) struct Insecure {
    /// The registries that are configured by name, and whether they are insecure.
    named: HashMap<String, bool>,
    networks: Vec<Network>,
}

impl Insecure {
    pub(super) fn read(config: RegistryServiceConfig) -> Self {
        let named = config.index_configs.unwrap_or_default().into_iter();
        let networks = config.insecure_registry_cidrs.unwrap_or_default();
        Insecure {
            named: named
                .map(|(host, index)| (host, index.secure == Some(false)))
                .collect(),
            networks: networks.iter().filter_map(|text| Network::parse(text)).collect(),
        }
    }

    /// Whether `host`, with its port, is insecure and not this machine. As in the engine, a name is resolved, and one
    /// address in an insecure network is enough; a name that cannot be resolved is not insecure.
    pub(super) async fn includes(&self, host: &str) -> bool {
        if let Some(insecure) = self.named.get(host) {
            return *insecure;
        }
        if self.networks.iter().all(|network| network.address.is_loopback()) {
            return false;
        }
        let name = super::endpoint::name_of(host);
        let addresses: Vec<IpAddr> = match tokio::net::lookup_host((name, 443)).await {
            Ok(found) => found.map(|address| address.ip()).collect(),
            Err(_) => Vec::new(),
        };
        self.includes_any(&addresses)
    }

    fn includes_any(&self, addresses: &[IpAddr]) -> bool {
        let elsewhere = addresses
            .iter()
            .filter(|address| !address.to_canonical().is_loopback());
        elsewhere
            .into_iter()
            .any(|address| self.networks.iter().any(|network| network.contains(*address)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_addresses() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("192.168.1.7/32", "192.168.1.7", true),
            ("192.168.1.7/32", "192.168.1.6", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "fd00::1", false),
            ("fd00::/8", "fd12::1", true),
            ("::/0", "2001:db8::1", true),
            ("127.0.0.0/8", "127.0.0.1", false),
            ("10.0.0.0/33", "10.1.2.3", false),
            ("10.0.0.0", "10.0.0.0", false),
        ] {
            let insecure = Insecure {
                networks: Network::parse(network).into_iter().collect(),
                ..Insecure::default()
            };
            let address = address.parse().unwrap();
            assert_eq!(insecure.includes_any(&[address]), expected, "{network} {address}");
        }
    }
}
