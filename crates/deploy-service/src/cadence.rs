//! How often AWS is asked, and how long the tool waits for what. `--poll` is the interval between two reads of a
//! service or a task; everything else is here.

use std::time::Duration;

/// The time limit of a run where neither `--timeout` nor `ops.toml` names one.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// The interval of `--poll` where it is not given, as clap parses it.
pub(crate) const DEFAULT_POLL: &str = "5s";

/// How long after a change reads may still show the state before it: ECS is eventually consistent.
pub(crate) const STALE_READS: Duration = Duration::from_secs(30);

/// How long reads must agree on an end that a single stale read could show as well.
pub(crate) const CONFIRMATION: Duration = Duration::from_secs(2);

/// How long after a failed deployment the deployment that rolls it back may take to appear.
pub(crate) const ROLLBACK_START: Duration = Duration::from_secs(30);

/// How long reads may omit a task that was started, before it is given up.
pub(crate) const TASK_VISIBLE: Duration = Duration::from_secs(30);

/// How long a cluster or a namespace that ECS does not find may be one that was created a moment ago.
pub(crate) const NEW_RESOURCE: Duration = Duration::from_secs(10);

/// The longest pause before a service is read that another caller has just created.
pub(crate) const CREATED_ELSEWHERE: Duration = Duration::from_secs(1);

/// The pause after the first read of a task; each further one is twice as long, up to `--poll`. Many commands are
/// short.
pub(crate) const FIRST_TASK_POLL: Duration = Duration::from_secs(1);

/// The longest interval between two reads of `logs --follow`.
pub(crate) const FOLLOW_LOGS: Duration = Duration::from_secs(2);

/// How much older than the last event an event of CloudWatch may be that arrives after it.
pub(crate) const LATE_EVENTS: Duration = Duration::from_secs(10);

/// The interval between two reads of the log of a command that has ended; a shorter `--poll` makes it shorter.
pub(crate) const LOG_TAIL_POLL: Duration = Duration::from_secs(1);

/// The shortest interval between two reads of the log of a command that has ended: CloudWatch limits the rate.
pub(crate) const LOG_TAIL_MIN_POLL: Duration = Duration::from_millis(200);

/// After so long without a new line the log of a command that has ended is complete. The awslogs driver sends the rest
/// at once when a container ends, and CloudWatch shows it a moment later.
pub(crate) const LOG_TAIL_QUIET: Duration = Duration::from_secs(5);

/// The same where no line has arrived at all. Commands without output are rarer than first lines that arrive late.
pub(crate) const LOG_TAIL_EMPTY: Duration = Duration::from_secs(10);

/// The longest wait for the rest of a log, whatever CloudWatch answers.
pub(crate) const LOG_TAIL_TOTAL: Duration = Duration::from_secs(15);

/// The longest wait for one read of a log: the task is what matters.
pub(crate) const LOG_READ: Duration = Duration::from_secs(5);
