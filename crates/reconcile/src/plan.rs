//! What is to be done to one thing of an account, and what of it went through. No I/O.

use cli::Change;

/// One call that changes something: what it does, and what differs by it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<A> {
    /// The call, with what it needs.
    pub action: A,
    /// What is another afterwards.
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
    /// It is not there: what it gets from birth, and the calls that follow.
    Create(Vec<Change>, Vec<Step<A>>),
    /// It differs: one call after the other.
    Update(Vec<Step<A>>),
    /// It is as it should be.
    Nothing,
}

impl<A> Plan<A> {
    /// For something that is there.
    pub fn update(steps: Vec<Step<A>>) -> Self {
        if steps.is_empty() {
            Plan::Nothing
        } else {
            Plan::Update(steps)
        }
    }

    /// The word for the report.
    pub fn verb(&self) -> &'static str {
        match self {
            Plan::Create(..) => CREATE,
            Plan::Update(_) => "update",
            Plan::Nothing => "none",
        }
    }

    /// The calls, behind that of the creation.
    pub fn steps(&self) -> &[Step<A>] {
        match self {
            Plan::Create(_, steps) | Plan::Update(steps) => steps,
            Plan::Nothing => &[],
        }
    }

    /// Whether nothing differs but what `steps` bring: so it looks when it was made, and they have not been done.
    pub fn is_covered_by(&self, steps: &[Step<A>]) -> bool {
        let brought = |change: &Change| {
            let brings = |step: &Step<A>| step.changes.iter().any(|own| own.path == change.path);
            steps.iter().any(brings)
        };
        !matches!(self, Plan::Create(..)) && self.changes().iter().all(brought)
    }

    /// What differs, field by field.
    pub fn changes(&self) -> Vec<Change> {
        let born = match self {
            Plan::Create(changes, _) => changes.as_slice(),
            Plan::Update(_) | Plan::Nothing => &[],
        };
        let steps = self.steps().iter().flat_map(|step| &step.changes);
        born.iter().chain(steps).cloned().collect()
    }
}

const CREATE: &str = "create";

/// What went through so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The word for the report.
    pub verb: &'static str,
    /// What is another by now.
    pub changes: Vec<Change>,
}

impl Done {
    /// It is made, and has `changes` from birth.
    pub fn created(changes: Vec<Change>) -> Self {
        Done {
            verb: CREATE,
            changes,
        }
    }

    /// Nothing yet of what `plan` has for something that is there.
    pub fn nothing_of<A>(plan: &Plan<A>) -> Self {
        Done {
            verb: plan.verb(),
            changes: Vec::new(),
        }
    }

    /// Whether everything is as it was.
    pub fn is_nothing(&self) -> bool {
        self.verb != CREATE && self.changes.is_empty()
    }
}

/// How the work on one thing ended.
#[derive(Debug)]
pub struct End<T> {
    /// What went through.
    pub done: Done,
    /// What it looks like now, when it came that far.
    pub seen: Option<T>,
    /// What stopped the rest.
    pub error: Option<anyhow::Error>,
}

impl Done {
    /// The end of the work, which came to `result`.
    ///
    /// # Errors
    /// When nothing went through. Otherwise [`End`] carries the error.
    pub fn ended<T>(self, result: anyhow::Result<T>) -> anyhow::Result<End<T>> {
        match result {
            Err(error) if self.is_nothing() => Err(error),
            result => {
                let (seen, error) = match result {
                    Ok(seen) => (Some(seen), None),
                    Err(error) => (None, Some(error)),
                };
                let done = self;
                Ok(End { done, seen, error })
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
    fn what_the_steps_of_a_creation_bring_may_be_missing() {
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
    fn what_changes_nothing_is_no_step_and_no_plan() {
        assert_eq!(Step::of((), Vec::new()), None);
        assert_eq!(Plan::<()>::update(Vec::new()), Plan::Nothing);
        assert_eq!(Plan::update(vec![step("a")]), Plan::Update(vec![step("a")]));
    }

    #[test]
    fn a_plan_names_all_that_differs_in_order() {
        let paths = |plan: &Plan<()>| -> Vec<String> {
            plan.changes().into_iter().map(|change| change.path).collect()
        };
        let born = vec![Change::new("born", 1, 2)];
        let plans = [
            (
                Plan::Create(born, vec![step("a"), step("b")]),
                "create",
                vec!["born", "a", "b"],
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
    fn something_that_was_made_is_a_change_without_any_field() {
        assert!(!Done::created(Vec::new()).is_nothing());
        let mut done = Done::nothing_of(&Plan::Update(vec![step("a")]));
        assert!(done.is_nothing());
        done.changes = step("a").changes;
        assert!(!done.is_nothing());
    }

    #[test]
    fn an_error_is_carried_along_when_something_went_through() {
        let failed = || Err::<(), _>(anyhow::anyhow!("refused"));
        let nothing = || Done::nothing_of(&Plan::Update(vec![step("a")]));
        assert!(nothing().ended(failed()).is_err());
        let end = Done::created(Vec::new()).ended(failed()).unwrap();
        assert_eq!(
            (end.seen, end.error.unwrap().to_string()),
            (None, "refused".to_owned())
        );
        let end = nothing().ended(Ok(7)).unwrap();
        assert_eq!(end.seen, Some(7));
        assert!(end.error.is_none() && end.done.is_nothing());
    }
}
