//! Which revisions a service ran before the one it has now. No I/O.

/// The revisions that a service on `present` can go back to, the nearest first. `deployed` are those that were
/// deployed successfully, the newest first.
///
/// They are a pile: who goes back to a revision takes off what lay on it. So a second rollback goes one further
/// back, and not to what the first one left.
pub(crate) fn earlier(deployed: &[String], present: &str) -> Vec<String> {
    let mut pile: Vec<&str> = Vec::new();
    for revision in deployed.iter().rev().map(String::as_str).chain([present]) {
        if let Some(at) = pile.iter().position(|one| *one == revision) {
            pile.truncate(at);
        }
        pile.push(revision);
    }
    pile.iter()
        .rev()
        .skip(1)
        .map(|revision| (*revision).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deployed_before_is_gone_back_to() {
        let names = |numbers: &[u32]| -> Vec<String> {
            let names = numbers.iter().map(|number| format!("web:{number}"));
            names.collect()
        };
        for (deployed, present, expected) in [
            (&[][..], 3, &[][..]),
            (&[3], 3, &[]),
            (&[3, 2, 1], 3, &[2, 1]),
            // Numbers do not matter, deployments do: 2 was registered and never deployed, or failed.
            (&[3, 1], 3, &[1]),
            (&[1, 5, 3], 1, &[5, 3]),
            // The present one goes on, or has failed: it is in no list.
            (&[2, 1], 3, &[2, 1]),
            // The same one twice: another network, new tasks.
            (&[3, 3, 2, 2], 3, &[2]),
            // After a rollback from 3 to 2.
            (&[2, 3, 2, 1], 2, &[1]),
            // And then forwards again, to 3 or to 4.
            (&[3, 2, 3, 2, 1], 3, &[2, 1]),
            (&[4, 2, 3, 2, 1], 4, &[2, 1]),
            // ECS itself went back from 3, or somebody stopped it.
            (&[2, 1], 2, &[1]),
            // All that is known came after it.
            (&[3, 2, 1], 1, &[]),
        ] {
            assert_eq!(
                earlier(&names(deployed), &format!("web:{present}")),
                names(expected),
                "{deployed:?} {present}"
            );
        }
    }
}
