//! The services that are called without an SDK crate of their own.

/// What distinguishes one service from another (each service's Smithy model).
#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    /// The `sdkId`. `AWS_ENDPOINT_URL_…` and the `services` section of a profile are named after it.
    pub id: &'static str,
    /// The first label of the host name.
    pub endpoint_prefix: &'static str,
    /// The service in the scope of a signature.
    pub signing_name: &'static str,
    /// The service in the names of IAM actions, which is how error messages name a call.
    pub iam_prefix: &'static str,
    /// How requests and responses are written.
    pub protocol: Protocol,
    /// Whether it has one endpoint for a whole partition.
    pub global: bool,
}

/// The form of requests and responses.
#[derive(Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `awsJson1_1`: JSON in both directions.
    AwsJson {
        /// What the `X-Amz-Target` header contains in front of the operation.
        target_prefix: &'static str,
    },
    /// `awsQuery`: a form as the request, and XML as the response.
    Query {
        /// The version of the API, a date.
        version: &'static str,
    },
}

/// Amazon ECS.
pub static ECS: Service = Service {
    id: "ECS",
    endpoint_prefix: "ecs",
    signing_name: "ecs",
    iam_prefix: "ecs",
    protocol: Protocol::AwsJson {
        target_prefix: "AmazonEC2ContainerServiceV20141113",
    },
    global: false,
};

/// Amazon CloudWatch Logs.
pub static LOGS: Service = Service {
    id: "CloudWatch Logs",
    endpoint_prefix: "logs",
    signing_name: "logs",
    iam_prefix: "logs",
    protocol: Protocol::AwsJson {
        target_prefix: "Logs_20140328",
    },
    global: false,
};

/// AWS Cloud Map.
pub static CLOUD_MAP: Service = Service {
    id: "ServiceDiscovery",
    endpoint_prefix: "servicediscovery",
    signing_name: "servicediscovery",
    iam_prefix: "servicediscovery",
    protocol: Protocol::AwsJson {
        target_prefix: "Route53AutoNaming_v20170314",
    },
    global: false,
};

/// AWS Systems Manager, for the tools that read no value.
pub static SSM: Service = Service {
    id: "SSM",
    endpoint_prefix: "ssm",
    signing_name: "ssm",
    iam_prefix: "ssm",
    protocol: Protocol::AwsJson {
        target_prefix: "AmazonSSM",
    },
    global: false,
};

/// AWS Identity and Access Management.
pub static IAM: Service = Service {
    id: "IAM",
    endpoint_prefix: "iam",
    signing_name: "iam",
    iam_prefix: "iam",
    protocol: Protocol::Query {
        version: "2010-05-08",
    },
    global: true,
};

/// AWS Security Token Service.
pub static STS: Service = Service {
    id: "STS",
    endpoint_prefix: "sts",
    signing_name: "sts",
    iam_prefix: "sts",
    protocol: Protocol::Query {
        version: "2011-06-15",
    },
    global: false,
};
