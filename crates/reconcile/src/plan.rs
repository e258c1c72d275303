//! What is to be done to one resource, and what of it has been done. No I/O.

use cli::Change;

/// One call that changes something, and the changes that it makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<A> {
    /// The call, with what it needs.
    pub action: A,
    /// What the call changes, field by field.
    pub changes: Vec<Change>,
}

impl<A> Step<A> {
    /// The step, when it changes anything.
    pub fn of(action: A, changes: Vec<Change>) -> Option<Self> {
        (!changes.is_empty()).then_some(Step { action, changes })
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan<A> {
    /// The resource does not exist: the fields that it gets at creation, and the calls that follow.
    Create(Vec<Change>, Vec<Step<A>>),
    /// The resource differs: one call after the other.
    Update(Vec<Step<A>>),
    /// The resource is as desired.
    Nothing,
}

impl<A> Plan<A> {
    /// The plan of a resource that exists.
    pub fn update(steps: Vec<Step<A>>) -> Self {
        if steps.is_empty() {
            Plan::Nothing
        } else {
            Plan::Update(steps)
        }
    }

    /// The action in the report: `create`, `update` or `none`.
    pub fn verb(&self) -> &'static str {
        match self {
            Plan::Create(..) => CREATE,
            Plan::Update(_) => "update",
            Plan::Nothing => "none",
        }
    }

    /// The calls, without that of the creation.
    pub fn steps(&self) -> &[Step<A>] {
        match self {
            Plan::Create(_, steps) | Plan::Update(steps) => steps,
            Plan::Nothing => &[],
        }
    }

    /// Whether nothing differs but what `steps` change: so a resource looks that was created by a plan with these steps,
    /// before the first of them.
    pub fn is_covered_by(&self, steps: &[Step<A>]) -> bool {
        let is_covered = |change: &Change| {
            let covers = |step: &Step<A>| step.changes.iter().any(|own| own.path == change.path);
            steps.iter().any(covers)
        };
        !matches!(self, Plan::Create(..)) && self.changes().iter().all(is_covered)
    }

    /// What differs, field by field.
    pub fn changes(&self) -> Vec<Change> {
        let at_creation = match self {
            Plan::Create(changes, _) => changes.as_slice(),
            Plan::Update(_) | Plan::Nothing => &[],
        };
        let steps = self.steps().iter().flat_map(|step| &step.changes);
        at_creation.iter().chain(steps).cloned().collect()
    }
}

const CREATE: &str = "create";

/// What has been done so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The action in the report.
    pub verb: &'static str,
    /// What has changed.
    pub changes: Vec<Change>,
}

impl Done {
    /// The resource was created, with `changes` at creation.
    pub fn created(changes: Vec<Change>) -> Self {
        Done {
            verb: CREATE,
            changes,
        }
    }

    /// Nothing yet of `plan`, which is for a resource that exists.
    pub fn nothing_of<A>(plan: &Plan<A>) -> Self {
        Done {
            verb: plan.verb(),
            changes: Vec::new(),
        }
    }

    /// Whether nothing has changed.
    pub fn is_nothing(&self) -> bool {
        self.verb != CREATE && self.changes.is_empty()
    }
}

/// The end of the work on one resource.
#[derive(Debug)]
pub struct End<T> {
    /// What has been done.
    pub done: Done,
    /// The resource as the service has it now, when it was read.
    pub observed: Option<T>,
    /// The error that stopped the rest.
    pub error: Option<anyhow::Error>,
}

impl Done {
    /// The end of the work, whose last call gave `result`.
    ///
    /// # Errors
    /// When nothing has been done. Otherwise [`End`] carries the error.
    pub fn ended<T>(self, result: anyhow::Result<T>) -> anyhow::Result<End<T>> {
        match result {
            Err(error) if self.is_nothing() => Err(error),
            result => {
                let (observed, error) = match result {
                    Ok(observed) => (Some(observed), None),
                    Err(error) => (None, Some(error)),
                };
                let done = self;
                Ok(End {
                    done,
                    observed,
                    error,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(path: &str) -> Step<()> {
        let changes = vec![Change::new(path, 1, 2)];
        Step::of((), changes).unwrap()
    }

    #[test]
    fn what_the_steps_of_a_creation_change_may_be_missing() {
        let steps = [step("a"), step("b")];
        let update = |paths: &[&str]| Plan::update(paths.iter().map(|path| step(path)).collect());
        for paths in [&[][..], &["a"], &["b", "a"]] {
            assert!(update(paths).is_covered_by(&steps), "{paths:?}");
        }
        assert!(!update(&["a", "c"]).is_covered_by(&steps));
        assert!(!update(&["a"]).is_covered_by(&[]));
        assert!(!Plan::Create(Vec::new(), Vec::new()).is_covered_by(&steps));
    }

    #[test]
    fn without_changes_there_is_no_step_and_no_plan() {
        assert_eq!(Step::of((), Vec::new()), None);
        assert_eq!(Plan::<()>::update(Vec::new()), Plan::Nothing);
        assert_eq!(Plan::update(vec![step("a")]), Plan::Update(vec![step("a")]));
    }

    #[test]
    fn a_plan_lists_its_changes_in_order() {
        let paths = |plan: &Plan<()>| -> Vec<String> {
            plan.changes().into_iter().map(|change| change.path).collect()
        };
        let at_creation = vec![Change::new("name", 1, 2)];
        let plans = [
            (
                Plan::Create(at_creation, vec![step("a"), step("b")]),
                "create",
                vec!["name", "a", "b"],
            ),
            (Plan::Update(vec![step("b"), step("a")]), "update", vec!["b", "a"]),
            (Plan::Nothing, "none", Vec::new()),
        ];
        for (plan, verb, expected) in plans {
            assert_eq!(
                (plan.verb(), paths(&plan)),
                (verb, expected.iter().map(ToString::to_string).collect())
            );
        }
    }

    #[test]
    fn a_creation_without_fields_is_a_change() {
        assert!(!Done::created(Vec::new()).is_nothing());
        let mut done = Done::nothing_of(&Plan::Update(vec![step("a")]));
        assert!(done.is_nothing());
        done.changes = step("a").changes;
        assert!(!done.is_nothing());
    }

    #[test]
    fn an_error_after_a_change_is_part_of_the_end() {
        let failed = || Err::<(), _>(anyhow::anyhow!("failed"));
        let nothing = || Done::nothing_of(&Plan::Update(vec![step("a")]));
        assert!(nothing().ended(failed()).is_err());
        let end = Done::created(Vec::new()).ended(failed()).unwrap();
        assert_eq!(
            (end.observed, end.error.unwrap().to_string()),
            (None, "failed".to_owned())
        );
        let end = nothing().ended(Ok(7)).unwrap();
        assert_eq!(end.observed, Some(7));
        assert!(end.error.is_none() && end.done.is_nothing());
    }
}
