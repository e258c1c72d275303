//! A resource that is read by several calls side by side. AWS is eventually consistent: a resource that was created a
//! moment ago is known to one of its servers and not to the next, so the calls need not agree.

use cli::{ErrorKind, Failure};

/// What the calls together say of the resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// It does not exist.
    NotFound,
    /// Every call knows it.
    Found(T),
    /// Some calls know it and others do not: it was created a moment ago, or is being deleted.
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

/// How often a resource is read until the calls agree.
const READS: usize = 4;

impl<T> Lookup<T> {
    /// Reads until the calls agree, at most [`READS`] times and without a pause. Callers that wait longer use
    /// [`crate::Backoff`].
    ///
    /// # Errors
    /// The error of `read`.
    pub async fn read_consistent<E>(mut read: impl AsyncFnMut() -> Result<Self, E>) -> Result<Self, E> {
        for _ in 1..READS {
            match read().await? {
                Lookup::Inconsistent => {}
                consistent => return Ok(consistent),
            }
        }
        read().await
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

    /// The resource, when every call knows it.
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
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// What comes of these readings, one after the other and the last one from then on; and how many were made.
    fn read(readings: &[Lookup<u8>]) -> (Lookup<u8>, usize) {
        let mut reads = 0;
        let read = async || {
            reads += 1;
            let reading = readings.get(reads - 1).or(readings.last());
            Ok::<_, ()>(reading.cloned().unwrap())
        };
        let result = {
            let work = pin!(Lookup::read_consistent(read));
            let Poll::Ready(result) = work.poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("nothing in it waits")
            };
            result
        };
        (result.unwrap(), reads)
    }

    #[test]
    fn calls_that_do_not_agree_are_made_again_a_few_times() {
        let (found, not_found, inconsistent) = (Lookup::Found(7), Lookup::NotFound, Lookup::Inconsistent);
        assert_eq!(read(std::slice::from_ref(&found)), (found.clone(), 1));
        let readings = [inconsistent.clone(), inconsistent.clone(), found.clone()];
        assert_eq!(read(&readings), (found, 3));
        assert_eq!(read(&[inconsistent.clone(), not_found.clone()]), (not_found, 2));
        assert_eq!(read(&[inconsistent]), (Lookup::Inconsistent, READS));
    }

    #[test]
    fn what_is_not_settled_is_neither_there_nor_not_found() {
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
