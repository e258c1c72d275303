//! A resource that is read by several calls side by side. AWS is eventually consistent: a resource that was created a
//! moment ago is known to one of its servers and not to the next, so the calls need not agree.

use cli::{ErrorKind, Failure};
use std::time::Duration;
use tokio::time::Instant;

/// What the answers of the calls together say of the resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// It does not exist.
    NotFound,
    /// Every call finds it.
    Found(T),
    /// Some calls find it and others do not: it was created a moment ago, or is being deleted.
    Inconsistent,
}

/// The failure to create the resource `label`, which existed when it was created and was gone when it was read.
pub fn deleted_during_create(label: &str) -> Failure {
    Failure::error(format!(
        "failed to create {label}: it was deleted while being created"
    ))
    .kind(ErrorKind::Conflict)
    .hint("another caller is deleting it: run it again when that is done")
}

/// How long a resource is read until the calls agree.
const AGREEMENT: Duration = Duration::from_secs(1);

/// The first pause between two reads; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

impl<T> Lookup<T> {
    /// Reads until the calls agree, for a second at most. Callers that wait longer use [`crate::Backoff`].
    ///
    /// # Errors
    /// The error of `read`.
    pub async fn read_consistent<E>(mut read: impl AsyncFnMut() -> Result<Self, E>) -> Result<Self, E> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match read().await? {
                Lookup::Inconsistent if start.elapsed() + pause < AGREEMENT => {
                    tokio::time::sleep(pause).await
                }
                lookup => return Ok(lookup),
            }
            pause *= 2;
        }
    }

    /// The resource `label` ("role `x`"), when it exists.
    ///
    /// # Errors
    /// When the calls did not agree.
    pub fn into_option(self, label: &str) -> Result<Option<T>, Failure> {
        match self {
            Lookup::NotFound => Ok(None),
            Lookup::Found(found) => Ok(Some(found)),
            Lookup::Inconsistent => Err(Failure::error(format!(
                "failed to describe {label}: AWS returned inconsistent reads"
            ))
            .kind(ErrorKind::Conflict)
            .hint("retry in a few seconds: it is being created or deleted")),
        }
    }

    /// The resource, when every call finds it.
    pub fn found(self) -> Option<T> {
        match self {
            Lookup::Found(found) => Some(found),
            Lookup::NotFound | Lookup::Inconsistent => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result of these lookups, one after the other and the last one from then on; and how many were made.
    fn read(lookups: &[Lookup<u8>]) -> (Lookup<u8>, usize) {
        let mut reads = 0;
        let read = async || {
            reads += 1;
            let lookup = lookups.get(reads - 1).or(lookups.last());
            Ok::<_, ()>(lookup.cloned().unwrap())
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let result = runtime.block_on(Lookup::read_consistent(read));
        (result.unwrap(), reads)
    }

    #[test]
    fn calls_that_do_not_agree_are_made_again_for_a_moment() {
        let (found, not_found, inconsistent) = (Lookup::Found(7), Lookup::NotFound, Lookup::Inconsistent);
        assert_eq!(read(std::slice::from_ref(&found)), (found.clone(), 1));
        let lookups = [inconsistent.clone(), inconsistent.clone(), found.clone()];
        assert_eq!(read(&lookups), (found, 3));
        assert_eq!(read(&[inconsistent.clone(), not_found.clone()]), (not_found, 2));
        let start = Instant::now();
        let (lookup, reads) = read(&[inconsistent]);
        assert_eq!(lookup, Lookup::Inconsistent);
        assert!(reads > 2 && start.elapsed() < 2 * AGREEMENT, "{reads}");
    }

    #[test]
    fn an_inconsistent_lookup_is_neither_found_nor_not_found() {
        assert_eq!(Lookup::Found(7).into_option("role `x`").unwrap(), Some(7));
        assert_eq!(Lookup::<u8>::NotFound.into_option("role `x`").unwrap(), None);
        assert_eq!(
            Lookup::<u8>::Inconsistent
                .into_option("role `x`")
                .unwrap_err()
                .to_string(),
            "failed to describe role `x`: AWS returned inconsistent reads"
        );
        assert_eq!(Lookup::Found(7).found(), Some(7));
        assert_eq!(Lookup::<u8>::Inconsistent.found(), None);
    }
}
