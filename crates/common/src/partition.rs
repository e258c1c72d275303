//! AWS's partitions: which regions they have, and under which domain their services stand.

/// A partition.
#[derive(Debug)]
pub struct Partition {
    /// As an ARN has it.
    pub name: &'static str,
    /// The domain of its services.
    pub domain: &'static str,
    /// What its regions begin with.
    prefix: &'static str,
}

/// The partitions but for the first, whose regions begin with anything else (AWS General Reference, "Amazon
/// Resource Names", and the SDK's table of partitions).
static OTHERS: [Partition; 7] = [
    Partition {
        name: "aws-cn",
        domain: "amazonaws.com.cn",
        prefix: "cn-",
    },
    Partition {
        name: "aws-us-gov",
        domain: "amazonaws.com",
        prefix: "us-gov-",
    },
    Partition {
        name: "aws-iso",
        domain: "c2s.ic.gov",
        prefix: "us-iso-",
    },
    Partition {
        name: "aws-iso-b",
        domain: "sc2s.sgov.gov",
        prefix: "us-isob-",
    },
    Partition {
        name: "aws-iso-e",
        domain: "cloud.adc-e.uk",
        prefix: "eu-isoe-",
    },
    Partition {
        name: "aws-iso-f",
        domain: "csp.hci.ic.gov",
        prefix: "us-isof-",
    },
    Partition {
        name: "aws-eusc",
        domain: "amazonaws.eu",
        prefix: "eusc-",
    },
];

static FIRST: Partition = Partition {
    name: "aws",
    domain: "amazonaws.com",
    prefix: "",
};

impl Partition {
    /// The partition that `region` belongs to.
    pub fn of(region: &str) -> &'static Partition {
        OTHERS
            .iter()
            .find(|partition| region.starts_with(partition.prefix))
            .unwrap_or(&FIRST)
    }
}

/// The domains of all partitions; some stand there twice.
pub fn domains() -> impl Iterator<Item = &'static str> {
    std::iter::once(&FIRST)
        .chain(&OTHERS)
        .map(|partition| partition.domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_known_by_its_beginning() {
        for (region, name, domain) in [
            ("us-east-1", "aws", "amazonaws.com"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
            ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
            ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ] {
            let partition = Partition::of(region);
            assert_eq!((partition.name, partition.domain), (name, domain), "{region}");
        }
    }
}
