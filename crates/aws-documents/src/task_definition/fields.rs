//! What RegisterTaskDefinition takes (Amazon ECS API reference).

use crate::shape::Shape::{Flag, List, Number, Object, Own, Text, Texts, Word, Words};
use crate::shape::{Key, Shape, may, must};

/// The whole request.
pub(crate) const REQUEST: Shape = Object(&[
    must("family", Text),
    may("taskRoleArn", Text),
    may("executionRoleArn", Text),
    may("networkMode", Word(&["bridge", "host", "awsvpc", "none"])),
    must("containerDefinitions", List(&CONTAINER)),
    may("volumes", List(&VOLUME)),
    may(
        "placementConstraints",
        List(&Object(&[
            may("type", Word(&["memberOf"])),
            may("expression", Text),
        ])),
    ),
    may(
        "requiresCompatibilities",
        List(&Word(&["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"])),
    ),
    may("cpu", Text),
    may("memory", Text),
    may("tags", List(&TAG)),
    may("pidMode", Word(&["host", "task"])),
    may("ipcMode", Word(&["host", "task", "none"])),
    may(
        "proxyConfiguration",
        Object(&[
            may("type", Word(&["APPMESH"])),
            must("containerName", Text),
            may("properties", List(&PAIR)),
        ]),
    ),
    may(
        "inferenceAccelerators",
        List(&Object(&[must("deviceName", Text), must("deviceType", Text)])),
    ),
    may("ephemeralStorage", Object(&[must("sizeInGiB", Number)])),
    may(
        "runtimePlatform",
        Object(&[
            may("cpuArchitecture", Word(&["X86_64", "ARM64"])),
            may("operatingSystemFamily", Word(&SYSTEMS)),
        ]),
    ),
    may("enableFaultInjection", Flag),
]);

/// A tag of ECS.
pub(crate) const TAG: Shape = Object(&[must("key", Text), may("value", Text)]);

/// `logConfiguration`, of a container and of the Service Connect proxy.
pub(crate) const LOG_CONFIGURATION: Shape = Object(&[
    must(
        "logDriver",
        Word(&[
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
    may("options", Texts(&PLAIN_OPTIONS)),
    may("secretOptions", List(&SECRET)),
]);

/// Options of log drivers that hold no secret; others do: `splunk-token`.
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

const PAIR: Shape = Object(&[must("name", Text), must("value", Own)]);

const SECRET: Shape = Object(&[must("name", Text), must("valueFrom", Text)]);

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
    must("name", Text),
    must("image", Text),
    may(
        "repositoryCredentials",
        Object(&[must("credentialsParameter", Text)]),
    ),
    may("cpu", Number),
    may("memory", Number),
    may("memoryReservation", Number),
    may("links", TEXT_LIST),
    may("portMappings", List(&PORT_MAPPING)),
    may("essential", Flag),
    may(
        "restartPolicy",
        Object(&[
            must("enabled", Flag),
            may("ignoredExitCodes", List(&Number)),
            may("restartAttemptPeriod", Number),
        ]),
    ),
    may("entryPoint", Words),
    may("command", Words),
    may("environment", List(&PAIR)),
    may(
        "environmentFiles",
        List(&Object(&[must("value", Text), must("type", Word(&["s3"]))])),
    ),
    may(
        "mountPoints",
        List(&Object(&[
            may("sourceVolume", Text),
            may("containerPath", Text),
            may("readOnly", Flag),
        ])),
    ),
    may(
        "volumesFrom",
        List(&Object(&[may("sourceContainer", Text), may("readOnly", Flag)])),
    ),
    may("linuxParameters", LINUX_PARAMETERS),
    may("secrets", List(&SECRET)),
    may(
        "dependsOn",
        List(&Object(&[
            must("containerName", Text),
            must("condition", Word(&["START", "COMPLETE", "SUCCESS", "HEALTHY"])),
        ])),
    ),
    may("startTimeout", Number),
    may("stopTimeout", Number),
    may("versionConsistency", Word(&["enabled", "disabled"])),
    may("hostname", Text),
    may("user", Text),
    may("workingDirectory", Text),
    may("disableNetworking", Flag),
    may("privileged", Flag),
    may("readonlyRootFilesystem", Flag),
    may("dnsServers", TEXT_LIST),
    may("dnsSearchDomains", TEXT_LIST),
    may(
        "extraHosts",
        List(&Object(&[must("hostname", Text), must("ipAddress", Text)])),
    ),
    may("dockerSecurityOptions", TEXT_LIST),
    may("interactive", Flag),
    may("pseudoTerminal", Flag),
    may("dockerLabels", Texts(&[])),
    may("ulimits", List(&ULIMIT)),
    may("logConfiguration", LOG_CONFIGURATION),
    may("healthCheck", HEALTH_CHECK),
    may(
        "systemControls",
        List(&Object(&[may("namespace", Text), may("value", Text)])),
    ),
    may(
        "resourceRequirements",
        List(&Object(&[
            must("value", Text),
            must("type", Word(&["GPU", "InferenceAccelerator", "NeuronDevice"])),
        ])),
    ),
    may(
        "firelensConfiguration",
        Object(&[
            must("type", Word(&["fluentd", "fluentbit"])),
            may("options", Texts(&[])),
        ]),
    ),
    may("credentialSpecs", TEXT_LIST),
]);

const TEXT_LIST: Shape = List(&Text);

const PORT_MAPPING: Shape = Object(&[
    may("containerPort", Number),
    may("hostPort", Number),
    may("protocol", Word(&["tcp", "udp"])),
    may("name", Text),
    may("appProtocol", Word(&["http", "http2", "grpc"])),
    may("containerPortRange", Text),
]);

const HEALTH_CHECK: Shape = Object(&[
    must("command", Words),
    may("interval", Number),
    may("timeout", Number),
    may("retries", Number),
    may("startPeriod", Number),
]);

const ULIMIT: Shape = Object(&[
    must(
        "name",
        Word(&[
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
    must("softLimit", Number),
    must("hardLimit", Number),
]);

const LINUX_PARAMETERS: Shape = Object(&[
    may(
        "capabilities",
        Object(&[may("add", TEXT_LIST), may("drop", TEXT_LIST)]),
    ),
    may(
        "devices",
        List(&Object(&[
            must("hostPath", Text),
            may("containerPath", Text),
            may("permissions", List(&Word(&["read", "write", "mknod"]))),
        ])),
    ),
    may("initProcessEnabled", Flag),
    may("sharedMemorySize", Number),
    may(
        "tmpfs",
        List(&Object(&[
            must("containerPath", Text),
            must("size", Number),
            may("mountOptions", TEXT_LIST),
        ])),
    ),
    may("maxSwap", Number),
    may("swappiness", Number),
]);

const SWITCH: Shape = Word(&["ENABLED", "DISABLED"]);

const VOLUME_KEYS: [Key; 7] = [
    may("name", Text),
    may("host", Object(&[may("sourcePath", Text)])),
    may(
        "dockerVolumeConfiguration",
        Object(&[
            may("scope", Word(&["task", "shared"])),
            may("autoprovision", Flag),
            may("driver", Text),
            may("driverOpts", Texts(&[])),
            may("labels", Texts(&[])),
        ]),
    ),
    may(
        "efsVolumeConfiguration",
        Object(&[
            must("fileSystemId", Text),
            may("rootDirectory", Text),
            may("transitEncryption", SWITCH),
            may("transitEncryptionPort", Number),
            may(
                "authorizationConfig",
                Object(&[may("accessPointId", Text), may("iam", SWITCH)]),
            ),
        ]),
    ),
    may(
        "s3filesVolumeConfiguration",
        Object(&[
            must("fileSystemArn", Text),
            may("rootDirectory", Text),
            may("transitEncryptionPort", Number),
            may("accessPointArn", Text),
        ]),
    ),
    may(
        "fsxWindowsFileServerVolumeConfiguration",
        Object(&[
            must("fileSystemId", Text),
            must("rootDirectory", Text),
            must(
                "authorizationConfig",
                Object(&[must("credentialsParameter", Text), must("domain", Text)]),
            ),
        ]),
    ),
    may("configuredAtLaunch", Flag),
];

const VOLUME: Shape = Object(&VOLUME_KEYS);
