//! What CreateService takes (Amazon ECS API reference).

use crate::shape::Shape::{Anything, Flag, Fraction, List, Number, Object, OneOf, Text};
use crate::shape::{Shape, optional, required};
use crate::task_definition::fields::{LOG_CONFIGURATION, TAG};

/// The request. Cluster and task definition may come from elsewhere.
pub(super) const REQUEST: Shape = Object(&[
    optional("cluster", Text),
    required("serviceName", Text),
    optional("taskDefinition", Text),
    optional("availabilityZoneRebalancing", SWITCH),
    optional("loadBalancers", List(&LOAD_BALANCER)),
    optional(
        "serviceRegistries",
        List(&Object(&[
            optional("registryArn", Text),
            optional("port", Number),
            optional("containerName", Text),
            optional("containerPort", Number),
        ])),
    ),
    optional("desiredCount", Number),
    optional("clientToken", Text),
    optional(
        "launchType",
        OneOf(&["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"]),
    ),
    optional(
        "capacityProviderStrategy",
        List(&Object(&[
            required("capacityProvider", Text),
            optional("weight", Number),
            optional("base", Number),
        ])),
    ),
    optional("platformVersion", Text),
    optional("role", Text),
    optional("deploymentConfiguration", DEPLOYMENT_CONFIGURATION),
    optional(
        "placementConstraints",
        List(&Object(&[
            optional("type", OneOf(&["distinctInstance", "memberOf"])),
            optional("expression", Text),
        ])),
    ),
    optional(
        "placementStrategy",
        List(&Object(&[
            optional("type", OneOf(&["random", "spread", "binpack"])),
            optional("field", Text),
        ])),
    ),
    optional(
        "networkConfiguration",
        Object(&[optional(
            "awsvpcConfiguration",
            Object(&[
                optional("subnets", List(&Text)),
                optional("securityGroups", List(&Text)),
                optional("assignPublicIp", SWITCH),
            ]),
        )]),
    ),
    optional("healthCheckGracePeriodSeconds", Number),
    optional("schedulingStrategy", OneOf(&["REPLICA", "DAEMON"])),
    optional(
        "deploymentController",
        Object(&[required("type", OneOf(&["ECS", "CODE_DEPLOY", "EXTERNAL"]))]),
    ),
    optional("tags", List(&TAG)),
    optional("enableECSManagedTags", Flag),
    optional("propagateTags", OneOf(&["TASK_DEFINITION", "SERVICE", "NONE"])),
    optional("enableExecuteCommand", Flag),
    optional("serviceConnectConfiguration", SERVICE_CONNECT),
    optional("volumeConfigurations", List(&VOLUME)),
    optional(
        "vpcLatticeConfigurations",
        List(&Object(&[
            required("roleArn", Text),
            required("targetGroupArn", Text),
            required("portName", Text),
            optional("advancedConfiguration", Anything),
        ])),
    ),
    optional(
        "monitoring",
        Object(&[optional(
            "metricConfigurations",
            List(&Object(&[
                required("metricNames", List(&Text)),
                required("resolutionSeconds", Number),
            ])),
        )]),
    ),
]);

const SWITCH: Shape = OneOf(&["ENABLED", "DISABLED"]);

const LOAD_BALANCER: Shape = Object(&[
    optional("targetGroupArn", Text),
    optional("loadBalancerName", Text),
    optional("containerName", Text),
    optional("containerPort", Number),
    optional(
        "advancedConfiguration",
        Object(&[
            optional("alternateTargetGroupArn", Text),
            optional("productionListenerRule", Text),
            optional("testListenerRule", Text),
            optional("roleArn", Text),
        ]),
    ),
]);

const DEPLOYMENT_CONFIGURATION: Shape = Object(&[
    optional(
        "deploymentCircuitBreaker",
        Object(&[
            required("enable", Flag),
            required("rollback", Flag),
            optional("resetOnHealthyTask", Flag),
            optional(
                "thresholdConfiguration",
                Object(&[
                    required("type", OneOf(&["COUNT", "BOUNDED_PERCENT", "UNBOUNDED_PERCENT"])),
                    required("value", Number),
                ]),
            ),
        ]),
    ),
    optional("maximumPercent", Number),
    optional("minimumHealthyPercent", Number),
    optional(
        "alarms",
        Object(&[
            required("alarmNames", List(&Text)),
            required("rollback", Flag),
            required("enable", Flag),
        ]),
    ),
    optional("strategy", OneOf(&["ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"])),
    optional("bakeTimeInMinutes", Number),
    optional(
        "lifecycleHooks",
        List(&Object(&[
            optional("targetType", OneOf(&["AWS_LAMBDA", "PAUSE"])),
            optional("hookTargetArn", Text),
            optional("roleArn", Text),
            optional("lifecycleStages", List(&Text)),
            optional("hookDetails", Anything),
            optional(
                "timeoutConfiguration",
                Object(&[
                    optional("timeoutInMinutes", Number),
                    optional("action", OneOf(&["ROLLBACK", "CONTINUE"])),
                ]),
            ),
        ])),
    ),
    optional(
        "linearConfiguration",
        Object(&[
            optional("stepPercent", Fraction),
            optional("stepBakeTimeInMinutes", Number),
        ]),
    ),
    optional(
        "canaryConfiguration",
        Object(&[
            optional("canaryPercent", Fraction),
            optional("canaryBakeTimeInMinutes", Number),
        ]),
    ),
    optional(
        "earlySuccessCriteria",
        Object(&[
            required("enable", Flag),
            optional("healthyPercent", Number),
            optional("sourceServiceRevisionCleanup", OneOf(&["BLOCKING", "DEFERRED"])),
        ]),
    ),
]);

const SERVICE_CONNECT: Shape = Object(&[
    required("enabled", Flag),
    optional("namespace", Text),
    optional("services", List(&CONNECT_SERVICE)),
    optional("logConfiguration", LOG_CONFIGURATION),
    optional(
        "accessLogConfiguration",
        Object(&[
            required("format", OneOf(&["TEXT", "JSON"])),
            optional("includeQueryParameters", SWITCH),
        ]),
    ),
]);

const CONNECT_SERVICE: Shape = Object(&[
    required("portName", Text),
    optional("discoveryName", Text),
    optional(
        "clientAliases",
        List(&Object(&[
            required("port", Number),
            optional("dnsName", Text),
            optional("testTrafficRules", Anything),
        ])),
    ),
    optional("ingressPortOverride", Number),
    optional(
        "timeout",
        Object(&[
            optional("idleTimeoutSeconds", Number),
            optional("perRequestTimeoutSeconds", Number),
        ]),
    ),
    optional(
        "tls",
        Object(&[
            required(
                "issuerCertificateAuthority",
                Object(&[optional("awsPcaAuthorityArn", Text)]),
            ),
            optional("kmsKey", Text),
            optional("roleArn", Text),
        ]),
    ),
]);

const VOLUME: Shape = Object(&[
    required("name", Text),
    optional(
        "managedEBSVolume",
        Object(&[
            optional("encrypted", Flag),
            optional("kmsKeyId", Text),
            optional("volumeType", Text),
            optional("sizeInGiB", Number),
            optional("snapshotId", Text),
            optional("volumeInitializationRate", Number),
            optional("iops", Number),
            optional("throughput", Number),
            optional(
                "tagSpecifications",
                List(&Object(&[
                    required("resourceType", OneOf(&["volume"])),
                    optional("tags", List(&TAG)),
                    optional("propagateTags", OneOf(&["TASK_DEFINITION", "SERVICE", "NONE"])),
                ])),
            ),
            required("roleArn", Text),
            optional("filesystemType", OneOf(&["ext3", "ext4", "xfs", "ntfs"])),
        ]),
    ),
]);
