//! What the ARNs of each service look like.

use crate::parts::Arn;

/// Whether the ARNs of a service have a region and an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Has {
    Both,
    OnlyRegion,
    OnlyAccount,
    Neither,
    /// It depends on the kind of resource.
    Depends,
}

/// The services that a deployment to ECS meets (Service Authorization Reference, "Resource types").
fn has(service: &str) -> Has {
    match service {
        "iam" | "sts" | "cloudfront" | "organizations" => Has::OnlyAccount,
        "autoscaling" | "cloudformation" | "codebuild" | "ecr" | "ecs" | "kinesis" | "kms" | "lambda"
        | "logs" | "secretsmanager" | "servicediscovery" | "sns" | "sqs" | "states" | "xray" => Has::Both,
        // A public image, a snapshot, a partner's event source belongs to no account.
        "ec2" | "events" => Has::OnlyRegion,
        "route53" => Has::Neither,
        _ => Has::Depends,
    }
}

/// The prefixes of the resources of a service; empty for a service without a list.
pub(super) fn kinds(service: &str) -> &'static [&'static str] {
    match service {
        "ecr" => &["repository/"],
        "ecs" => &[
            "cluster/",
            "service/",
            "task/",
            "task-definition/",
            "container-instance/",
            "capacity-provider/",
            "task-set/",
            "service-deployment/",
            "service-revision/",
        ],
        "iam" => &[
            "role/",
            "policy/",
            "user/",
            "group/",
            "instance-profile/",
            "server-certificate/",
            "oidc-provider/",
            "saml-provider/",
            "mfa/",
            "root",
        ],
        "kms" => &["key/", "alias/"],
        "logs" => &["log-group:", "destination:", "delivery", "anomaly-detector:"],
        "secretsmanager" => &["secret:"],
        "servicediscovery" => &["namespace/", "service/"],
        "ssm" => &[
            "parameter/",
            "document/",
            "association/",
            "automation-",
            "maintenancewindow/",
            "managed-instance",
            "opsitem",
            "opsmetadata/",
            "patchbaseline/",
            "resource-data-sync/",
            "servicesetting/",
            "session/",
            "windowtarget/",
            "windowtask/",
        ],
        _ => &[],
    }
}

/// Whether the ARN of this resource has a region and an account.
pub(super) fn kind_of_place(arn: &Arn) -> Has {
    match arn.service {
        // Buckets and objects have neither; access points and jobs have both.
        "s3" => {
            let both = ["accesspoint", "job/", "storage-lens"];
            if both.iter().any(|kind| arn.resource.starts_with(kind)) {
                Has::Both
            } else {
                Has::Neither
            }
        }
        // AWS's own public parameters and documents belong to no account.
        "ssm" => {
            let public = ["parameter/aws/", "document/", "automation-definition/"];
            if public.iter().any(|kind| arn.resource.starts_with(kind)) {
                Has::OnlyRegion
            } else {
                Has::Both
            }
        }
        service => has(service),
    }
}
