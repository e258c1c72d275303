//! The partitions of AWS: their regions, and the DNS suffix of their services.

/// A partition.
#[derive(Debug)]
pub struct Partition {
    /// As ARNs contain it: `aws-cn`.
    pub name: &'static str,
    /// The region whose name the signatures of its global services contain.
    pub home_region: &'static str,
    /// The DNS suffix of its services.
    pub domain: &'static str,
    /// The DNS suffix of its dual-stack endpoints.
    pub dual_stack_domain: &'static str,
    /// The first characters of the names of its regions.
    prefix: &'static str,
}

/// Every partition but `aws`, to which all other regions belong (AWS General Reference, "Amazon Resource Names", and
/// the SDK's table of partitions).
static OTHERS: [Partition; 7] = [
    Partition {
        name: "aws-cn",
        home_region: "cn-north-1",
        domain: "amazonaws.com.cn",
        dual_stack_domain: "api.amazonwebservices.com.cn",
        prefix: "cn-",
    },
    Partition {
        name: "aws-us-gov",
        home_region: "us-gov-west-1",
        domain: "amazonaws.com",
        dual_stack_domain: "api.aws",
        prefix: "us-gov-",
    },
    Partition {
        name: "aws-iso",
        home_region: "us-iso-east-1",
        domain: "c2s.ic.gov",
        dual_stack_domain: "api.aws.ic.gov",
        prefix: "us-iso-",
    },
    Partition {
        name: "aws-iso-b",
        home_region: "us-isob-east-1",
        domain: "sc2s.sgov.gov",
        dual_stack_domain: "api.aws.scloud",
        prefix: "us-isob-",
    },
    Partition {
        name: "aws-iso-e",
        home_region: "eu-isoe-west-1",
        domain: "cloud.adc-e.uk",
        dual_stack_domain: "api.cloud-aws.adc-e.uk",
        prefix: "eu-isoe-",
    },
    Partition {
        name: "aws-iso-f",
        home_region: "us-isof-south-1",
        domain: "csp.hci.ic.gov",
        dual_stack_domain: "api.aws.hci.ic.gov",
        prefix: "us-isof-",
    },
    Partition {
        name: "aws-eusc",
        home_region: "eusc-de-east-1",
        domain: "amazonaws.eu",
        dual_stack_domain: "api.amazonwebservices.eu",
        prefix: "eusc-",
    },
];

static FIRST: Partition = Partition {
    name: "aws",
    home_region: "us-east-1",
    domain: "amazonaws.com",
    dual_stack_domain: "api.aws",
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

/// All partitions; two of them share a DNS suffix.
pub fn all() -> impl Iterator<Item = &'static Partition> {
    std::iter::once(&FIRST).chain(&OTHERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_a_region_names_its_partition() {
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
