//! What holds for every call of the four `create-*` tools: one table of calls, and each failure for all.

use rustix::process::Signal;
use std::time::Duration;
use support::aws::FakeAws;
use support::{Tool, wait_for};

const NO_RESPONSE: &str = "got no response; it may have been applied";

/// One call of a tool, and an account in which the tool sends it.
pub(crate) struct Call {
    /// In IAM's spelling: `logs:CreateLogGroup`.
    pub(crate) action: &'static str,
    /// The target in the scripted AWS.
    pub(crate) target: String,
    /// What the error begins with.
    pub(crate) context: &'static str,
    /// What a warning about the call names besides the action; `None` for a call that reads.
    pub(crate) subject: Option<String>,
    pub(crate) start: Start,
}

/// Starts the account, and gives the tool to run.
pub(crate) type Start = Box<dyn Fn() -> (FakeAws, Tool) + Send + Sync>;

impl Call {
    pub(crate) fn read(
        action: &'static str,
        target: String,
        context: &'static str,
        start: impl Fn() -> (FakeAws, Tool) + Send + Sync + 'static,
    ) -> Self {
        Call {
            action,
            target,
            context,
            subject: None,
            start: Box::new(start),
        }
    }

    pub(crate) fn write(self, subject: impl Into<String>) -> Self {
        Call {
            subject: Some(subject.into()),
            ..self
        }
    }

    fn is_iam(&self) -> bool {
        self.action.starts_with("iam:")
    }

    fn is_read(&self) -> bool {
        self.subject.is_none()
    }

    fn operation(&self) -> &str {
        self.action.split(':').next_back().unwrap()
    }

    /// Nothing but this call was sent that changes anything.
    fn writes_nothing_else(&self, aws: &FakeAws) {
        let writes = aws.writes();
        let other = writes.iter().find(|write| write.operation() != self.operation());
        assert_eq!(other, None, "{}", self.action);
    }
}

/// Runs `test` for the calls of all tools, those of each tool in a thread of its own.
fn each(test: impl Fn(&str, &Call) + Sync) {
    let tools = [
        ("create-log-group", crate::create_log_group::calls()),
        ("create-cluster", crate::create_cluster::calls()),
        ("create-repository", crate::create_repository::calls()),
        ("create-roles", crate::create_roles::calls()),
    ];
    std::thread::scope(|scope| {
        for (tool, calls) in &tools {
            scope.spawn(|| calls.iter().for_each(|call| test(tool, call)));
        }
    });
}

#[test]
fn each_refusal_names_its_call_as_iam_spells_it() {
    each(|name, call| {
        let (aws, tool) = (call.start)();
        let code = if call.is_iam() {
            "AccessDenied"
        } else {
            "AccessDeniedException"
        };
        aws.refuse(&call.target, code, "User: ci is not authorized");
        let Call { action, context, .. } = call;
        tool.run()
            .exits(2)
            .says(&format!(
                "{name}: error: {context}: {action} failed: {code}: User: ci is not authorized\n"
            ))
            .says(&format!("hint: grant `{action}` to the caller"));
        call.writes_nothing_else(&aws);
    });
}

#[test]
fn a_throttled_call_is_retried_within_bounds() {
    each(|_, call| {
        let (aws, tool) = (call.start)();
        let code = if call.is_iam() {
            "Throttling"
        } else {
            "ThrottlingException"
        };
        aws.refuse_once(&call.target, code, "Rate exceeded");
        tool.run().exits(0);
        assert!(aws.bodies(&call.target).len() > 1, "{}", call.action);
        if call.is_read() {
            let (aws, tool) = (call.start)();
            aws.refuse(&call.target, code, "Rate exceeded");
            tool.run()
                .exits(2)
                .says(&format!("{} failed: {code}: Rate exceeded\n", call.action))
                .says("hint: throttled; safe to re-run");
            let sent = aws.bodies(&call.target).len();
            assert!(sent <= 5 * 2, "{}: {sent}", call.action);
            call.writes_nothing_else(&aws);
        }
    });
}

#[test]
fn an_interrupted_write_is_reported_and_an_interrupted_read_is_not() {
    each(|_, call| {
        let (aws, tool) = (call.start)();
        aws.stall(&call.target);
        let running = tool.hears_signals().spawn();
        let sent = || (!aws.bodies(&call.target).is_empty()).then_some(());
        wait_for(call.action, sent);
        running.signal(Signal::INT);
        let output = running.wait().ends_by(Signal::INT);
        assert_eq!(output.stdout, "", "{}", output.transcript());
        let output = output.does_not_say("created").does_not_say("updated");
        match &call.subject {
            None => output.does_not_say(NO_RESPONSE),
            Some(subject) => output.says_once(&format!("warning: {}{subject} {NO_RESPONSE}\n", call.action)),
        };
    });
}

#[test]
fn a_deadline_during_a_call_is_exit_code_three() {
    each(|_, call| {
        let (aws, tool) = (call.start)();
        aws.stall(&call.target);
        let tool = tool.args(["--timeout", "700ms", "-o", "json"]);
        let output = tool.run().exits(3).says("not done after 700 ms");
        assert!(output.elapsed < Duration::from_secs(10), "{:?}", output.elapsed);
        let document = output.json();
        assert_eq!(document["outcome"], "timeout");
        assert_eq!(document["items"].as_array().map(Vec::len), Some(0), "{document}");
        match &call.subject {
            None => output.does_not_say(NO_RESPONSE),
            Some(subject) => output.says_once(&format!("{}{subject} {NO_RESPONSE}\n", call.action)),
        };
    });
}

#[test]
fn a_response_to_a_read_that_makes_no_sense_is_an_error_and_writes_nothing() {
    each(|name, call| {
        let (texts, mime) = if call.is_iam() {
            (["<html>", "<html></html>"], "text/xml")
        } else {
            (["[]", "{\"half\":"], "application/x-amz-json-1.1")
        };
        for text in texts.into_iter().filter(|_| call.is_read()) {
            let (aws, tool) = (call.start)();
            aws.answer_text(&call.target, 200, text, mime);
            let begin = format!("{name}: error: {}: ", call.context);
            tool.run().exits(2).says(&begin);
            call.writes_nothing_else(&aws);
        }
    });
}
