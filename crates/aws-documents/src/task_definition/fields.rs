//! What RegisterTaskDefinition takes (Amazon ECS API reference).

use crate::shape::Shape::{Command, Flag, FreeText, List, Number, Object, OneOf, Text, TextMap};
use crate::shape::{Key, Shape, optional, required};

/// The request.
pub(crate) const REQUEST: Shape = Object(&[
    required("family", Text),
    optional("taskRoleArn", Text),
    optional("executionRoleArn", Text),
    optional("networkMode", OneOf(&["bridge", "host", "awsvpc", "none"])),
    required("containerDefinitions", List(&CONTAINER)),
    optional("volumes", List(&VOLUME)),
    optional(
        "placementConstraints",
        List(&Object(&[
            optional("type", OneOf(&["memberOf"])),
            optional("expression", Text),
        ])),
    ),
    optional(
        "requiresCompatibilities",
        List(&OneOf(&["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"])),
    ),
    optional("cpu", Text),
    optional("memory", Text),
    optional("tags", List(&TAG)),
    optional("pidMode", OneOf(&["host", "task"])),
    optional("ipcMode", OneOf(&["host", "task", "none"])),
    optional(
        "proxyConfiguration",
        Object(&[
            optional("type", OneOf(&["APPMESH"])),
            required("containerName", Text),
            optional("properties", List(&PAIR)),
        ]),
    ),
    optional(
        "inferenceAccelerators",
        List(&Object(&[
            required("deviceName", Text),
            required("deviceType", Text),
        ])),
    ),
    optional("ephemeralStorage", Object(&[required("sizeInGiB", Number)])),
    optional(
        "runtimePlatform",
        Object(&[
            optional("cpuArchitecture", OneOf(&["X86_64", "ARM64"])),
            optional("operatingSystemFamily", OneOf(&SYSTEMS)),
        ]),
    ),
    optional("enableFaultInjection", Flag),
]);

/// A tag of ECS.
pub(crate) const TAG: Shape = Object(&[required("key", Text), optional("value", Text)]);

/// `logConfiguration`, of a container and of the Service Connect proxy.
pub(crate) const LOG_CONFIGURATION: Shape = Object(&[
    required(
        "logDriver",
        OneOf(&[
            "json-file",
            "syslog",
            "journald",
            "gelf",
            "fluentd",
            "awslogs",
            "splunk",
            "awsfirelens",
        ]),
    ),
    optional("options", TextMap(&PLAIN_OPTIONS)),
    optional("secretOptions", List(&SECRET)),
]);

/// Options of log drivers that hold no secret. Others may: `splunk-token`.
const PLAIN_OPTIONS: [&str; 8] = [
    "awslogs-create-group",
    "awslogs-datetime-format",
    "awslogs-group",
    "awslogs-multiline-pattern",
    "awslogs-region",
    "awslogs-stream-prefix",
    "max-buffer-size",
    "mode",
];

const PAIR: Shape = Object(&[required("name", Text), required("value", FreeText)]);

const SECRET: Shape = Object(&[required("name", Text), required("valueFrom", Text)]);

const SYSTEMS: [&str; 10] = [
    "LINUX",
    "WINDOWS_SERVER_2016_FULL",
    "WINDOWS_SERVER_2019_CORE",
    "WINDOWS_SERVER_2019_FULL",
    "WINDOWS_SERVER_2004_CORE",
    "WINDOWS_SERVER_20H2_CORE",
    "WINDOWS_SERVER_2022_CORE",
    "WINDOWS_SERVER_2022_FULL",
    "WINDOWS_SERVER_2025_CORE",
    "WINDOWS_SERVER_2025_FULL",
];

const CONTAINER: Shape = Object(&[
    required("name", Text),
    required("image", Text),
    optional(
        "repositoryCredentials",
        Object(&[required("credentialsParameter", Text)]),
    ),
    optional("cpu", Number),
    optional("memory", Number),
    optional("memoryReservation", Number),
    optional("links", TEXT_LIST),
    optional("portMappings", List(&PORT_MAPPING)),
    optional("essential", Flag),
    optional(
        "restartPolicy",
        Object(&[
            required("enabled", Flag),
            optional("ignoredExitCodes", List(&Number)),
            optional("restartAttemptPeriod", Number),
        ]),
    ),
    optional("entryPoint", Command),
    optional("command", Command),
    optional("environment", List(&PAIR)),
    optional(
        "environmentFiles",
        List(&Object(&[
            required("value", Text),
            required("type", OneOf(&["s3"])),
        ])),
    ),
    optional(
        "mountPoints",
        List(&Object(&[
            optional("sourceVolume", Text),
            optional("containerPath", Text),
            optional("readOnly", Flag),
        ])),
    ),
    optional(
        "volumesFrom",
        List(&Object(&[
            optional("sourceContainer", Text),
            optional("readOnly", Flag),
        ])),
    ),
    optional("linuxParameters", LINUX_PARAMETERS),
    optional("secrets", List(&SECRET)),
    optional(
        "dependsOn",
        List(&Object(&[
            required("containerName", Text),
            required("condition", OneOf(&["START", "COMPLETE", "SUCCESS", "HEALTHY"])),
        ])),
    ),
    optional("startTimeout", Number),
    optional("stopTimeout", Number),
    optional("versionConsistency", OneOf(&["enabled", "disabled"])),
    optional("hostname", Text),
    optional("user", Text),
    optional("workingDirectory", Text),
    optional("disableNetworking", Flag),
    optional("privileged", Flag),
    optional("readonlyRootFilesystem", Flag),
    optional("dnsServers", TEXT_LIST),
    optional("dnsSearchDomains", TEXT_LIST),
    optional(
        "extraHosts",
        List(&Object(&[
            required("hostname", Text),
            required("ipAddress", Text),
        ])),
    ),
    optional("dockerSecurityOptions", TEXT_LIST),
    optional("interactive", Flag),
    optional("pseudoTerminal", Flag),
    optional("dockerLabels", TextMap(&[])),
    optional("ulimits", List(&ULIMIT)),
    optional("logConfiguration", LOG_CONFIGURATION),
    optional("healthCheck", HEALTH_CHECK),
    optional(
        "systemControls",
        List(&Object(&[optional("namespace", Text), optional("value", Text)])),
    ),
    optional(
        "resourceRequirements",
        List(&Object(&[
            required("value", Text),
            required("type", OneOf(&["GPU", "InferenceAccelerator", "NeuronDevice"])),
        ])),
    ),
    optional(
        "firelensConfiguration",
        Object(&[
            required("type", OneOf(&["fluentd", "fluentbit"])),
            optional("options", TextMap(&[])),
        ]),
    ),
    optional("credentialSpecs", TEXT_LIST),
]);

const TEXT_LIST: Shape = List(&Text);

const PORT_MAPPING: Shape = Object(&[
    optional("containerPort", Number),
    optional("hostPort", Number),
    optional("protocol", OneOf(&["tcp", "udp"])),
    optional("name", Text),
    optional("appProtocol", OneOf(&["http", "http2", "grpc"])),
    optional("containerPortRange", Text),
]);

const HEALTH_CHECK: Shape = Object(&[
    required("command", Command),
    optional("interval", Number),
    optional("timeout", Number),
    optional("retries", Number),
    optional("startPeriod", Number),
]);

const ULIMIT: Shape = Object(&[
    required(
        "name",
        OneOf(&[
            "core",
            "cpu",
            "data",
            "fsize",
            "locks",
            "memlock",
            "msgqueue",
            "nice",
            "nofile",
            "nproc",
            "rss",
            "rtprio",
            "rttime",
            "sigpending",
            "stack",
        ]),
    ),
    required("softLimit", Number),
    required("hardLimit", Number),
]);

const LINUX_PARAMETERS: Shape = Object(&[
    optional(
        "capabilities",
        Object(&[optional("add", TEXT_LIST), optional("drop", TEXT_LIST)]),
    ),
    optional(
        "devices",
        List(&Object(&[
            required("hostPath", Text),
            optional("containerPath", Text),
            optional("permissions", List(&OneOf(&["read", "write", "mknod"]))),
        ])),
    ),
    optional("initProcessEnabled", Flag),
    optional("sharedMemorySize", Number),
    optional(
        "tmpfs",
        List(&Object(&[
            required("containerPath", Text),
            required("size", Number),
            optional("mountOptions", TEXT_LIST),
        ])),
    ),
    optional("maxSwap", Number),
    optional("swappiness", Number),
]);

const SWITCH: Shape = OneOf(&["ENABLED", "DISABLED"]);

const VOLUME_KEYS: [Key; 7] = [
    optional("name", Text),
    optional("host", Object(&[optional("sourcePath", Text)])),
    optional(
        "dockerVolumeConfiguration",
        Object(&[
            optional("scope", OneOf(&["task", "shared"])),
            optional("autoprovision", Flag),
            optional("driver", Text),
            optional("driverOpts", TextMap(&[])),
            optional("labels", TextMap(&[])),
        ]),
    ),
    optional(
        "efsVolumeConfiguration",
        Object(&[
            required("fileSystemId", Text),
            optional("rootDirectory", Text),
            optional("transitEncryption", SWITCH),
            optional("transitEncryptionPort", Number),
            optional(
                "authorizationConfig",
                Object(&[optional("accessPointId", Text), optional("iam", SWITCH)]),
            ),
        ]),
    ),
    optional(
        "s3filesVolumeConfiguration",
        Object(&[
            required("fileSystemArn", Text),
            optional("rootDirectory", Text),
            optional("transitEncryptionPort", Number),
            optional("accessPointArn", Text),
        ]),
    ),
    optional(
        "fsxWindowsFileServerVolumeConfiguration",
        Object(&[
            required("fileSystemId", Text),
            required("rootDirectory", Text),
            required(
                "authorizationConfig",
                Object(&[required("credentialsParameter", Text), required("domain", Text)]),
            ),
        ]),
    ),
    optional("configuredAtLaunch", Flag),
];

const VOLUME: Shape = Object(&VOLUME_KEYS);

/// What only DescribeTaskDefinition has, and RegisterTaskDefinition rejects.
pub const ONLY_DESCRIBED: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];
