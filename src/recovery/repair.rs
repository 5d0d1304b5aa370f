//! Finding what a mistyped recovery key was meant to be: every text that it can have come from, the
//! likeliest first, each proven against every lock of the account. On all cores, and nothing is sent.

use std::{
    ops::ControlFlow,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    failures::IntoFailure,
    passphrase::Effort,
    pipeline::workers,
    slips::searched,
    unlock::{self, Unlocked, unlock},
    visit::Visit,
};
use crate::{
    backup::{
        decryption::DecryptionKey,
        recovery_key,
        repair::{Difference, Search, Slips},
        version::PublicKey,
    },
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        progress::{News, Progress},
        secret::{Secret32, SecretText},
        shown::grouped,
    },
    homeserver::RequestError,
    secret_storage::{
        key::{KeyCheck, KeyDescription},
        secret::StoredSecret,
    },
};

/// A stage of at most so many possibilities is gone through to its end when an answer is found, so that it
/// can be said that there is no other one.
const TO_THE_END: u64 = 10_000_000;
/// How often news are told.
const TELL: Duration = Duration::from_millis(100);

/// What came of the search.
pub struct Repaired {
    /// Every key that was found, each proven. More than one is as good as impossible.
    pub answers: Vec<Answer>,
    /// How many possibilities were tried.
    pub tried: u64,
    /// The same by stage, as far as the search went.
    pub stages: Vec<Tried>,
}

/// One stage of the search, when it was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// What it looked for.
    pub slips: Slips,
    /// How many possibilities were tried.
    pub tried: u64,
}

/// A key that opens something.
pub struct Answer {
    /// Its text, in twelve groups of four.
    pub key: SecretText,
    /// What was typed beside it; without slips where that was right as it is.
    pub difference: Difference,
    /// What it opens, with the proofs.
    pub unlocked: Unlocked,
}

impl Repaired {
    /// Why there is no answer.
    pub fn not_found(&self) -> Failure {
        let failure = Failure::new(Code::SlipNotFound).with("n", self.tried);
        match self.stages.as_slice() {
            [] => failure.because("only texts of 44 to 96 characters can be searched"),
            stages => {
                let stages = stages.iter().filter(|stage| stage.tried > 0);
                let told = stages
                    .map(|stage| format!("{}: {}", searched(stage.slips), grouped(stage.tried)));
                failure.because(&told.collect::<Vec<_>>().join("; "))
            }
        }
    }
}

/// What a search for the slip in this text looks for, and how many possibilities that has.
pub fn stages(typed: &SecretText) -> Vec<(Slips, u64)> {
    let search = Search::of(typed);
    let stages = search.stages().enumerate();
    let stages = stages.map(|(stage, slips)| (slips, search.possibilities(stage)));
    stages.filter(|(_, of)| *of > 0).collect()
}

impl Visit {
    /// Searches for what a typed recovery key was meant to be. A text that opens something as it is
    /// comes back without slips.
    pub async fn repair(
        &self,
        typed: &SecretText,
        progress: &std::sync::Arc<dyn Progress>,
        cancel: &Cancel,
    ) -> Result<Repaired, Failure> {
        let samples = self.samples_of_odd_ones(cancel).await?;
        let (typed, overview) = (typed.duplicate(), self.overview.clone());
        let (progress, cancel) = (std::sync::Arc::clone(progress), cancel.clone());
        let searched = tokio::task::spawn_blocking(move || {
            let place = unlock::Place { overview: &overview, samples: &samples };
            repair(&typed, &place, &Effort { slow: false, progress: &*progress, cancel: &cancel })
        });
        super::joined(searched.await)?
    }
}

fn repair(
    typed: &SecretText,
    place: &unlock::Place<'_>,
    effort: &Effort<'_>,
) -> Result<Repaired, Failure> {
    let locks = Lookout::over(place);
    if locks.is_empty() {
        return Err(Failure::new(Code::NoBackup));
    }
    let mut repaired = Repaired { answers: Vec::new(), tried: 0, stages: Vec::new() };
    if let Ok(key) = recovery_key::parse(typed.expose())
        && locks.opens(&key)
    {
        repaired.answers.push(answer(&key, typed, place, effort)?);
        return Ok(repaired);
    }
    let search = Search::of(typed);
    for (number, slips) in search.stages().enumerate() {
        let stage = StageWork { search: &search, number, slips, of: search.possibilities(number) };
        let (tried, found) = stage.run(&locks, effort)?;
        repaired.tried += tried;
        repaired.stages.push(Tried { slips, tried });
        for key in &found {
            repaired.answers.push(answer(key, typed, place, effort)?);
        }
        if !found.is_empty() {
            break;
        }
    }
    Ok(repaired)
}

/// Everything about a key that opens something.
fn answer(
    key: &Secret32,
    typed: &SecretText,
    place: &unlock::Place<'_>,
    effort: &Effort<'_>,
) -> Result<Answer, Failure> {
    let text = recovery_key::format(key);
    let unlocked = unlock(&[text.duplicate()], place, effort)?;
    Ok(Answer { difference: Difference::between(typed, &text), key: text, unlocked })
}

/// One stage, worked on by all cores.
struct StageWork<'a> {
    search: &'a Search,
    number: usize,
    slips: Slips,
    of: u64,
}

impl StageWork<'_> {
    /// Tries the possibilities; returns how many were tried and which keys open something.
    fn run(
        &self,
        locks: &Lookout<'_>,
        effort: &Effort<'_>,
    ) -> Result<(u64, Vec<Secret32>), Failure> {
        let portions = self.search.portions(self.number);
        let (next, tried) = (AtomicU64::new(0), AtomicU64::new(0));
        let found: Mutex<Vec<Secret32>> = Mutex::default();
        let told = Mutex::new(Instant::now());
        let begun = Instant::now();
        let is_found = || !found.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        self.tell(0, begun, effort.progress);
        let work = || {
            // A stage that takes long need not go on to its end.
            let is_over = || effort.cancel.is_cancelled() || self.of > TO_THE_END && is_found();
            while !is_over() {
                let portion = next.fetch_add(1, Ordering::Relaxed);
                if portion >= portions {
                    return;
                }
                let mut prove = |key: Secret32| {
                    if effort.cancel.is_cancelled() {
                        return ControlFlow::Break(());
                    }
                    if locks.opens(&key) {
                        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                        if !found.iter().any(|known| known.same_as(&key)) {
                            found.push(key);
                        }
                    }
                    ControlFlow::Continue(())
                };
                let walked = self.search.walk(self.number, portion, &mut prove);
                let ControlFlow::Continue(count) = walked else { return };
                let tried = tried.fetch_add(count, Ordering::Relaxed) + count;
                if let Ok(mut told) = told.try_lock()
                    && told.elapsed() >= TELL
                {
                    *told = Instant::now();
                    self.tell(tried, begun, effort.progress);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..workers() {
                scope.spawn(work);
            }
            work();
        });
        if effort.cancel.is_cancelled() {
            return Err(RequestError::Cancelled.into_failure());
        }
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((tried.into_inner(), found))
    }

    fn tell(&self, tried: u64, begun: Instant, progress: &dyn Progress) {
        let part = tried as f64 / self.of.max(1) as f64;
        // After so little nobody knows how long it takes.
        let left = (part > 0.02).then(|| begun.elapsed().as_secs_f64() / part * (1.0 - part));
        progress.tell(News::Mending {
            stage: searched(self.slips),
            tried,
            of: self.of,
            left: left.map(|seconds| seconds.ceil() as u64),
        });
    }
}

/// All that can prove a key, cheap proofs first.
struct Lookout<'a> {
    /// Keys of secret storage with something to check a key with.
    checked: Vec<&'a KeyDescription>,
    /// What lies under those that have nothing: it opens with the right key only.
    held: Vec<(String, &'a StoredSecret)>,
    publics: Vec<PublicKey>,
    place: &'a unlock::Place<'a>,
    sampled: bool,
}

impl<'a> Lookout<'a> {
    fn over(place: &'a unlock::Place<'a>) -> Self {
        let overview = place.overview;
        let locks = &overview.locks;
        let (mut checked, mut held) = (Vec::new(), Vec::new());
        for id in locks.key_ids() {
            let description = locks.description(&id);
            match (description.filter(|description| description.is_checkable()), &locks.secret) {
                (Some(description), _) => checked.push(description),
                // Without a MAC of its own the backup's public key is what proves it.
                (None, Some(secret)) if !secret.is_passthrough(&id) => held.push((id, secret)),
                (None, _) => {}
            }
        }
        let publics = overview.versions.iter().filter_map(|version| version.public_key().ok());
        let sampled = !place.samples.is_empty();
        Self { checked, held, publics: publics.collect(), place, sampled }
    }

    fn is_empty(&self) -> bool {
        self.checked.is_empty() && self.held.is_empty() && self.publics.is_empty() && !self.sampled
    }

    fn opens(&self, key: &Secret32) -> bool {
        let bytes = key.expose();
        if self.checked.iter().any(|description| description.check(bytes) == KeyCheck::Fits)
            || self.held.iter().any(|(id, secret)| secret.open_key(id, bytes).is_ok())
        {
            return true;
        }
        if self.publics.is_empty() && !self.sampled {
            return false;
        }
        let key = DecryptionKey::new(key.duplicate());
        self.publics.contains(&key.public_key())
            || self.place.samples.values().any(|sample| sample.locked_for(&key) > 0)
    }
}
