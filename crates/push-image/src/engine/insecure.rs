//! Which registries the engine speaks to without a certificate that it has checked: its `insecure-registries`.

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

    fn has(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits())
                    .checked_shr(32 - self.bits)
                    .unwrap_or_default()
                    == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits())
                    .checked_shr(128 - self.bits)
                    .unwrap_or_default()
                    == 0
            }
            _ => false,
        }
    }
}

/// What the engine was set up with.
#[derive(Debug, Default)]
pub(super) struct Insecure {
    /// Registries that are known by name, and whether they are.
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

    /// Whether `host`, with its port, is one of them, and not this machine. As the engine has it, a name is looked
    /// up and any of its addresses counts; one that nobody knows is none of them.
    pub(super) async fn has(&self, host: &str) -> bool {
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
        self.has_one_of(&addresses)
    }

    fn has_one_of(&self, addresses: &[IpAddr]) -> bool {
        let elsewhere = addresses
            .iter()
            .filter(|address| !address.to_canonical().is_loopback());
        elsewhere
            .into_iter()
            .any(|address| self.networks.iter().any(|network| network.has(*address)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_addresses() {
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
            assert_eq!(insecure.has_one_of(&[address]), expected, "{network} {address}");
        }
    }
}
