use super::*;
use cli::{Exit, Failure, OutputArgs};
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// A resource of one field, which is to be 1.
#[derive(Default)]
struct Field {
    name: &'static str,
    /// The field; `None` when the resource does not exist.
    value: Cell<Option<u8>>,
    /// The value of the resource that another caller creates after the first read.
    rival: Option<u8>,
    /// Whether this run may have created the resource although the call failed.
    may_be_ours: bool,
    /// Whether the value of a new resource is set by a step.
    in_two_calls: bool,
    /// Whether a step fails.
    fails: bool,
    /// Whether the service shows no change.
    is_stuck: bool,
    calls: RefCell<Vec<&'static str>>,
}

impl Resource for Field {
    type Observed = u8;
    type Action = u8;
    const KIND: &'static str = "test-field";

    fn name(&self) -> &str {
        self.name
    }

    async fn observe(&self) -> Result<Lookup<u8>> {
        Ok(self.value.get().map_or(Lookup::NotFound, Lookup::Found))
    }

    fn plan(&self, observed: Option<&u8>) -> Result<Plan<u8>, Failure> {
        let step = |from: Option<u8>| Step::of(1, vec![Change::new("field", from, 1)]);
        Ok(match observed {
            Some(1) => Plan::Nothing,
            Some(other) => Plan::update(step(Some(*other)).into_iter().collect()),
            None if self.in_two_calls => Plan::Create(Vec::new(), step(None).into_iter().collect()),
            None => Plan::Create(vec![Change::new("field", (), 1)], Vec::new()),
        })
    }

    async fn create(&self) -> Result<Created> {
        self.calls.borrow_mut().push("create");
        if self.rival.is_some() {
            self.value.set(self.rival);
            return Ok(Created::existing(self.may_be_ours));
        }
        self.value.set(Some(if self.in_two_calls { 0 } else { 1 }));
        Ok(Created::New)
    }

    async fn perform(&self, action: &u8, _: bool) -> Result<()> {
        self.calls.borrow_mut().push("perform");
        if self.fails {
            return Err(Failure::error("denied").into());
        }
        if !self.is_stuck {
            self.value.set(Some(*action));
        }
        Ok(())
    }

    fn item(&self, item: Item, observed: Option<&u8>) -> Item {
        item.detail("value", observed.copied())
    }

    fn line(&self, _: Option<&u8>) -> Option<String> {
        Some(self.name.to_owned())
    }

    fn convergence(&self) -> Backoff {
        Backoff {
            initial: Duration::from_millis(1),
            max_interval: Duration::from_millis(1),
            max_elapsed: Duration::from_millis(20),
        }
    }
}

fn run(fields: &[Field], plan: PlanArgs) -> Result<Report> {
    let console = Console::new("test", &OutputArgs::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mode = Mode { plan, yes: false };
    runtime.block_on(reconcile(&console, fields, mode, Report::new(Outcome::Unchanged)))
}

fn actions(report: &Report) -> Vec<(&str, &str)> {
    let items = report.items.iter();
    items
        .map(|item| (item.name.as_str(), item.action.as_str()))
        .collect()
}

#[test]
fn one_resource_is_created_changed_or_left_alone() {
    let field = Field::default;
    for (field, outcome, action, calls) in [
        (field(), Outcome::Changed, "create", vec!["create"]),
        (
            Field {
                in_two_calls: true,
                ..field()
            },
            Outcome::Changed,
            "create",
            vec!["create", "perform"],
        ),
        (
            Field {
                value: Cell::new(Some(7)),
                ..field()
            },
            Outcome::Changed,
            "update",
            vec!["perform"],
        ),
        (
            Field {
                value: Cell::new(Some(1)),
                ..field()
            },
            Outcome::Unchanged,
            "none",
            vec![],
        ),
        // Another caller creates the same, or another one.
        (
            Field {
                rival: Some(1),
                ..field()
            },
            Outcome::Unchanged,
            "none",
            vec!["create"],
        ),
        (
            Field {
                rival: Some(7),
                ..field()
            },
            Outcome::Changed,
            "update",
            vec!["create", "perform"],
        ),
        // An earlier attempt of this run may have created it, unless a field differs that a creation sets.
        (
            Field {
                rival: Some(1),
                may_be_ours: true,
                ..field()
            },
            Outcome::Changed,
            "create",
            vec!["create"],
        ),
        (
            Field {
                rival: Some(7),
                may_be_ours: true,
                ..field()
            },
            Outcome::Changed,
            "update",
            vec!["create", "perform"],
        ),
        (
            Field {
                rival: Some(0),
                may_be_ours: true,
                in_two_calls: true,
                ..field()
            },
            Outcome::Changed,
            "create",
            vec!["create", "perform"],
        ),
    ] {
        let fields = [field];
        let report = run(&fields, PlanArgs::default()).unwrap();
        assert_eq!(
            (report.outcome, actions(&report), report.error.as_ref()),
            (outcome, vec![("", action)], None)
        );
        assert_eq!(*fields[0].calls.borrow(), calls);
        assert_eq!(fields[0].value.get(), Some(1));
    }
}

#[test]
fn a_plan_calls_nothing() {
    for (value, outcome, action, exit) in [
        (None, Outcome::Planned, "create", Exit::Negative),
        (Some(7), Outcome::Planned, "update", Exit::Negative),
        (Some(1), Outcome::Unchanged, "none", Exit::Success),
    ] {
        let fields = [Field {
            value: Cell::new(value),
            ..Field::default()
        }];
        let check = PlanArgs {
            dry_run: false,
            check: true,
        };
        let report = run(&fields, check).unwrap();
        assert_eq!(
            (report.outcome, actions(&report), report.exit()),
            (outcome, vec![("", action)], exit)
        );
        assert!(fields[0].calls.borrow().is_empty());
    }
}

#[test]
fn an_error_after_a_change_is_partial_and_keeps_what_was_done() {
    let named = |name, value| Field {
        name,
        value: Cell::new(value),
        ..Field::default()
    };
    let failing = |value| Field {
        fails: true,
        in_two_calls: true,
        ..named("b", value)
    };
    let partial = |fields: &[Field]| {
        let report = run(fields, PlanArgs::default()).unwrap();
        assert_eq!(report.exit(), Exit::Partial);
        let items = report.items.iter().map(|item| item.action.clone()).collect();
        (items, report.error.unwrap().message)
    };
    let expected = |actions: &[&str], message: &str| -> (Vec<String>, String) {
        (
            actions.iter().map(ToString::to_string).collect(),
            message.to_owned(),
        )
    };
    assert_eq!(partial(&[failing(None)]), expected(&["create"], "denied"));
    let items = [named("a", None), failing(Some(7))];
    assert_eq!(partial(&items), expected(&["create"], "denied"));
    let stuck = Field {
        is_stuck: true,
        ..named("c", Some(7))
    };
    let message = "test field `c` did not converge: field: 7 -> 1";
    assert_eq!(partial(&[stuck]), expected(&["update"], message));
    // Nothing was changed.
    let items = [named("a", Some(1)), failing(Some(7))];
    let error = run(&items, PlanArgs::default()).unwrap_err();
    assert_eq!(error.to_string(), "denied");
}
