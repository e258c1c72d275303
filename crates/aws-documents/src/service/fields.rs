//! What CreateService takes (Amazon ECS API reference).

use crate::shape::Shape::{Anything, Flag, Fraction, List, Number, Object, Text, Word};
use crate::shape::{Shape, may, must};
use crate::task_definition::fields::{LOG_CONFIGURATION, TAG};

/// The whole request; name, cluster and task definition may come from elsewhere.
pub(super) const REQUEST: Shape = Object(&[
    may("cluster", Text),
    must("serviceName", Text),
    may("taskDefinition", Text),
    may("availabilityZoneRebalancing", SWITCH),
    may("loadBalancers", List(&LOAD_BALANCER)),
    may(
        "serviceRegistries",
        List(&Object(&[
            may("registryArn", Text),
            may("port", Number),
            may("containerName", Text),
            may("containerPort", Number),
        ])),
    ),
    may("desiredCount", Number),
    may("clientToken", Text),
    may(
        "launchType",
        Word(&["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"]),
    ),
    may(
        "capacityProviderStrategy",
        List(&Object(&[
            must("capacityProvider", Text),
            may("weight", Number),
            may("base", Number),
        ])),
    ),
    may("platformVersion", Text),
    may("role", Text),
    may("deploymentConfiguration", DEPLOYMENT_CONFIGURATION),
    may(
        "placementConstraints",
        List(&Object(&[
            may("type", Word(&["distinctInstance", "memberOf"])),
            may("expression", Text),
        ])),
    ),
    may(
        "placementStrategy",
        List(&Object(&[
            may("type", Word(&["random", "spread", "binpack"])),
            may("field", Text),
        ])),
    ),
    may(
        "networkConfiguration",
        Object(&[may(
            "awsvpcConfiguration",
            Object(&[
                may("subnets", List(&Text)),
                may("securityGroups", List(&Text)),
                may("assignPublicIp", SWITCH),
            ]),
        )]),
    ),
    may("healthCheckGracePeriodSeconds", Number),
    may("schedulingStrategy", Word(&["REPLICA", "DAEMON"])),
    may(
        "deploymentController",
        Object(&[must("type", Word(&["ECS", "CODE_DEPLOY", "EXTERNAL"]))]),
    ),
    may("tags", List(&TAG)),
    may("enableECSManagedTags", Flag),
    may("propagateTags", Word(&["TASK_DEFINITION", "SERVICE", "NONE"])),
    may("enableExecuteCommand", Flag),
    may("serviceConnectConfiguration", SERVICE_CONNECT),
    may("volumeConfigurations", List(&VOLUME)),
    may(
        "vpcLatticeConfigurations",
        List(&Object(&[
            must("roleArn", Text),
            must("targetGroupArn", Text),
            must("portName", Text),
            may("advancedConfiguration", Anything),
        ])),
    ),
    may(
        "monitoring",
        Object(&[may(
            "metricConfigurations",
            List(&Object(&[
                must("metricNames", List(&Text)),
                must("resolutionSeconds", Number),
            ])),
        )]),
    ),
]);

const SWITCH: Shape = Word(&["ENABLED", "DISABLED"]);

const LOAD_BALANCER: Shape = Object(&[
    may("targetGroupArn", Text),
    may("loadBalancerName", Text),
    may("containerName", Text),
    may("containerPort", Number),
    may(
        "advancedConfiguration",
        Object(&[
            may("alternateTargetGroupArn", Text),
            may("productionListenerRule", Text),
            may("testListenerRule", Text),
            may("roleArn", Text),
        ]),
    ),
]);

const DEPLOYMENT_CONFIGURATION: Shape = Object(&[
    may(
        "deploymentCircuitBreaker",
        Object(&[
            must("enable", Flag),
            must("rollback", Flag),
            may("resetOnHealthyTask", Flag),
            may(
                "thresholdConfiguration",
                Object(&[
                    must("type", Word(&["COUNT", "BOUNDED_PERCENT", "UNBOUNDED_PERCENT"])),
                    must("value", Number),
                ]),
            ),
        ]),
    ),
    may("maximumPercent", Number),
    may("minimumHealthyPercent", Number),
    may(
        "alarms",
        Object(&[
            must("alarmNames", List(&Text)),
            must("rollback", Flag),
            must("enable", Flag),
        ]),
    ),
    may("strategy", Word(&["ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"])),
    may("bakeTimeInMinutes", Number),
    may(
        "lifecycleHooks",
        List(&Object(&[
            may("targetType", Word(&["AWS_LAMBDA", "PAUSE"])),
            may("hookTargetArn", Text),
            may("roleArn", Text),
            may("lifecycleStages", List(&Text)),
            may("hookDetails", Anything),
            may(
                "timeoutConfiguration",
                Object(&[
                    may("timeoutInMinutes", Number),
                    may("action", Word(&["ROLLBACK", "CONTINUE"])),
                ]),
            ),
        ])),
    ),
    may(
        "linearConfiguration",
        Object(&[may("stepPercent", Fraction), may("stepBakeTimeInMinutes", Number)]),
    ),
    may(
        "canaryConfiguration",
        Object(&[
            may("canaryPercent", Fraction),
            may("canaryBakeTimeInMinutes", Number),
        ]),
    ),
    may(
        "earlySuccessCriteria",
        Object(&[
            must("enable", Flag),
            may("healthyPercent", Number),
            may("sourceServiceRevisionCleanup", Word(&["BLOCKING", "DEFERRED"])),
        ]),
    ),
]);

const SERVICE_CONNECT: Shape = Object(&[
    must("enabled", Flag),
    may("namespace", Text),
    may("services", List(&CONNECT_SERVICE)),
    may("logConfiguration", LOG_CONFIGURATION),
    may(
        "accessLogConfiguration",
        Object(&[
            must("format", Word(&["TEXT", "JSON"])),
            may("includeQueryParameters", SWITCH),
        ]),
    ),
]);

const CONNECT_SERVICE: Shape = Object(&[
    must("portName", Text),
    may("discoveryName", Text),
    may(
        "clientAliases",
        List(&Object(&[
            must("port", Number),
            may("dnsName", Text),
            may("testTrafficRules", Anything),
        ])),
    ),
    may("ingressPortOverride", Number),
    may(
        "timeout",
        Object(&[
            may("idleTimeoutSeconds", Number),
            may("perRequestTimeoutSeconds", Number),
        ]),
    ),
    may(
        "tls",
        Object(&[
            must(
                "issuerCertificateAuthority",
                Object(&[may("awsPcaAuthorityArn", Text)]),
            ),
            may("kmsKey", Text),
            may("roleArn", Text),
        ]),
    ),
]);

const VOLUME: Shape = Object(&[
    must("name", Text),
    may(
        "managedEBSVolume",
        Object(&[
            may("encrypted", Flag),
            may("kmsKeyId", Text),
            may("volumeType", Text),
            may("sizeInGiB", Number),
            may("snapshotId", Text),
            may("volumeInitializationRate", Number),
            may("iops", Number),
            may("throughput", Number),
            may(
                "tagSpecifications",
                List(&Object(&[
                    must("resourceType", Word(&["volume"])),
                    may("tags", List(&TAG)),
                    may("propagateTags", Word(&["TASK_DEFINITION", "SERVICE", "NONE"])),
                ])),
            ),
            must("roleArn", Text),
            may("filesystemType", Word(&["ext3", "ext4", "xfs", "ntfs"])),
        ]),
    ),
]);
