//! One thing that is read by several calls side by side. They need not agree: what was made a moment ago is known
//! to one server and not to the next.

use crate::failure::Failure;

/// What the calls say of it together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading<T> {
    /// It is not there.
    Absent,
    /// All of them know it.
    There(T),
    /// Some know it and others do not: it was made a moment ago, or is being deleted.
    Unsettled,
}

/// The failure to make `thing`, which is there when it is made and gone when it is read.
pub fn comes_and_goes(thing: &str) -> Failure {
    Failure::could_not(format!("failed to create {thing}: it comes and goes"))
        .hint("somebody else is deleting it: run it again when that is done")
}

/// How often it is read until the calls agree.
const READS: usize = 4;

impl<T> Reading<T> {
    /// Reads until the calls agree, but only a few times, and without a pause: that is for who waits.
    ///
    /// # Errors
    /// The error of `read`.
    pub async fn agreed<E>(mut read: impl AsyncFnMut() -> Result<Self, E>) -> Result<Self, E> {
        for _ in 1..READS {
            match read().await? {
                Reading::Unsettled => {}
                agreed => return Ok(agreed),
            }
        }
        read().await
    }

    /// `thing` ("role `x`"), when there is one.
    ///
    /// # Errors
    /// When the calls did not agree.
    pub fn settled(self, thing: &str) -> Result<Option<T>, Failure> {
        match self {
            Reading::Absent => Ok(None),
            Reading::There(there) => Ok(Some(there)),
            Reading::Unsettled => Err(Failure::could_not(format!(
                "failed to describe {thing}: it is listed, but not all calls know it"
            ))
            .hint("somebody else is making or deleting it: run it again")),
        }
    }

    /// It, when all calls know it.
    pub fn there(self) -> Option<T> {
        match self {
            Reading::There(there) => Some(there),
            Reading::Absent | Reading::Unsettled => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// What comes of these readings, one after the other and the last one from then on; and how many were made.
    fn agreed(readings: &[Reading<u8>]) -> (Reading<u8>, usize) {
        let mut reads = 0;
        let read = async || {
            reads += 1;
            let reading = readings.get(reads - 1).or(readings.last());
            Ok::<_, ()>(reading.cloned().unwrap())
        };
        let result = {
            let work = pin!(Reading::agreed(read));
            let Poll::Ready(result) = work.poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("nothing in it waits")
            };
            result
        };
        (result.unwrap(), reads)
    }

    #[test]
    fn calls_that_do_not_agree_are_made_again_a_few_times() {
        let (there, absent, unsettled) = (Reading::There(7), Reading::Absent, Reading::Unsettled);
        assert_eq!(agreed(std::slice::from_ref(&there)), (there.clone(), 1));
        let readings = [unsettled.clone(), unsettled.clone(), there.clone()];
        assert_eq!(agreed(&readings), (there, 3));
        assert_eq!(agreed(&[unsettled.clone(), absent.clone()]), (absent, 2));
        assert_eq!(agreed(&[unsettled]), (Reading::Unsettled, READS));
    }

    #[test]
    fn what_is_not_settled_is_neither_there_nor_absent() {
        assert_eq!(Reading::There(7).settled("role `x`").unwrap(), Some(7));
        assert_eq!(Reading::<u8>::Absent.settled("role `x`").unwrap(), None);
        assert_eq!(
            Reading::<u8>::Unsettled
                .settled("role `x`")
                .unwrap_err()
                .to_string(),
            "failed to describe role `x`: it is listed, but not all calls know it"
        );
        assert_eq!(Reading::There(7).there(), Some(7));
        assert_eq!(Reading::<u8>::Unsettled.there(), None);
    }
}
