//! Trying a passphrase on every lock that was made from one: on all cores, with progress, and within
//! a budget, because how much calculation a lock asks for is the server's to say (SPEC §5.4).

use std::{
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use crate::{
    base::{
        cancel::Cancel,
        limits,
        progress::{News, Progress},
        secret::{SecretBytes, SecretText},
        stretch::Recipe,
    },
    secret_storage::spellings::spellings,
};

/// Rounds by which the speed of this computer is measured; some milliseconds.
const PROBE: u64 = 5_000;
/// How often; the fastest counts, because whatever else runs for a moment only slows one down.
const PROBES: usize = 5;

/// Estimates that people say, in seconds.
const ESTIMATES: [u64; 13] = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600];

/// How far a search may go, and who hears of it.
pub(super) struct Effort<'a> {
    /// Do calculations beyond the budget, too.
    pub(super) slow: bool,
    pub(super) progress: &'a dyn Progress,
    pub(super) cancel: &'a Cancel,
}

/// What came of trying.
#[derive(Default)]
pub(super) struct Tried {
    /// Keys that open what they were made for, with the number of their recipe.
    pub(super) opened: Vec<(usize, SecretBytes)>,
    /// Rounds that were left out because they are too many to do without asking.
    pub(super) left_out: u64,
    /// Recipes that were not tried at all for that reason.
    pub(super) untried: Vec<usize>,
}

/// One recipe in all spellings of the passphrase.
struct Job {
    recipe: usize,
    spellings: usize,
}

/// Makes a key of the passphrase by each recipe, spelling by spelling until `opens` says yes. The
/// recipes are distinct; at the end of the budget the rest is left out. `None` after a wish to stop.
pub(super) fn try_all(
    passphrase: &SecretText,
    recipes: &[Recipe],
    effort: &Effort<'_>,
    opens: &(dyn Fn(usize, &SecretBytes) -> bool + Sync),
) -> Option<Tried> {
    let spellings = spellings(passphrase);
    let (jobs, left_out) = plan(recipes, spellings.len(), effort.slow);
    let cost = |job: &Job| recipes.get(job.recipe).map_or(0, Recipe::work) * job.spellings as u64;
    let all: u64 = jobs.iter().map(cost).sum();
    let done = AtomicU64::new(0);
    let (next, opened) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed))
            && let Some(recipe) = recipes.get(job.recipe)
        {
            let mut skipped = cost(job);
            for spelling in spellings.iter().take(job.spellings) {
                let key = recipe.stretch(spelling.expose().as_bytes(), &mut |rounds| {
                    let done = done.fetch_add(rounds.into(), Ordering::Relaxed) + u64::from(rounds);
                    effort.progress.tell(News::Stretching { done, all });
                    !effort.cancel.is_cancelled()
                });
                let Some(key) = key else { return };
                skipped -= recipe.work();
                if opens(job.recipe, &key) {
                    let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
                    opened.push((job.recipe, key));
                    break;
                }
            }
            done.fetch_add(skipped, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        for _ in 0..cores().min(jobs.len()) {
            scope.spawn(work);
        }
    });
    let mut opened = opened.into_inner().unwrap_or_else(PoisonError::into_inner);
    opened.sort_by_key(|(recipe, _)| *recipe);
    let is_tried = |recipe: &usize| jobs.iter().any(|job| job.recipe == *recipe);
    let untried = (0..recipes.len()).filter(|recipe| !is_tried(recipe)).collect();
    (!effort.cancel.is_cancelled()).then_some(Tried { opened, left_out, untried })
}

/// The cheap ones first; what does not fit into the budget is left out, other spellings before whole
/// locks.
fn plan(recipes: &[Recipe], spellings: usize, slow: bool) -> (Vec<Job>, u64) {
    let mut order: Vec<usize> = (0..recipes.len()).collect();
    order.sort_by_key(|place| recipes.get(*place).map_or(0, Recipe::work));
    let work = |recipe: usize| recipes.get(recipe).map_or(0, Recipe::work);
    let mut budget = limits::STRETCH_BUDGET;
    let mut affords = |each: u64, times: u64| {
        let wanted = each.saturating_mul(times);
        let within = each <= limits::STRETCH_ROUNDS && wanted <= budget;
        budget -= if within { wanted } else { 0 };
        within || slow
    };
    let (mut jobs, mut left_out) = (Vec::new(), 0);
    let more = (spellings as u64).saturating_sub(1);
    for recipe in order.into_iter().filter(|_| spellings > 0) {
        if affords(work(recipe), 1) {
            jobs.push(Job { recipe, spellings: 1 });
        } else {
            left_out += work(recipe) * (more + 1);
        }
    }
    for job in &mut jobs {
        if affords(work(job.recipe), more) {
            job.spellings = spellings;
        } else {
            left_out += work(job.recipe) * more;
        }
    }
    (jobs, left_out)
}

/// How long so many rounds take on this computer, in seconds: measured on one core and rounded up, as
/// people would say it.
pub(super) fn seconds(rounds: u64) -> u64 {
    let Ok(probe) = Recipe::new(b"probe", PROBE, 256) else { return rounds };
    let times = (0..PROBES).map(|_| {
        let begun = Instant::now();
        probe.stretch(b"probe", &mut |_| true);
        begun.elapsed()
    });
    let each = times.min().unwrap_or_default().as_secs_f64() / PROBE as f64;
    let seconds = (each * rounds as f64).ceil() as u64;
    ESTIMATES.into_iter().find(|estimate| *estimate >= seconds).unwrap_or(seconds)
}

pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::progress::Silent;

    fn recipe(salt: &str, rounds: u64) -> Recipe {
        Recipe::new(salt.as_bytes(), rounds, 256).unwrap()
    }

    fn tried(passphrase: &str, recipes: &[Recipe], slow: bool) -> Tried {
        let cancel = Cancel::default();
        let effort = Effort { slow, progress: &Silent, cancel: &cancel };
        let text = SecretText::new(passphrase.to_owned());
        try_all(&text, recipes, &effort, &|_, _| false).unwrap()
    }

    #[test]
    fn what_is_too_slow_is_left_out_and_the_rest_is_tried() {
        let dear = limits::STRETCH_ROUNDS + 1;
        let left_out = |recipes: &[Recipe]| tried("plain", recipes, false).left_out;
        assert_eq!(left_out(&[recipe("a", 10)]), 0);
        assert_eq!(left_out(&[recipe("a", dear), recipe("b", 10)]), dear);
        // A second spelling counts, too.
        assert_eq!(tried("\u{e9}", &[recipe("a", dear)], false).left_out, 2 * dear);
    }

    #[test]
    fn the_budget_is_one_for_all_locks() {
        let spelled = |rounds: &[u64], spellings| {
            let recipes: Vec<_> = rounds.iter().map(|rounds| recipe("a", *rounds)).collect();
            let (jobs, left_out) = plan(&recipes, spellings, false);
            let jobs: Vec<_> = jobs.iter().map(|job| (job.recipe, job.spellings)).collect();
            (jobs, left_out)
        };
        let million = 1_000_000;
        assert_eq!(spelled(&[9 * million, million], 1), (vec![(1, 1), (0, 1)], 0));
        let three = [9 * million, 9 * million, 9 * million];
        assert_eq!(spelled(&three, 1), (vec![(0, 1), (1, 1)], 9 * million));
        // Each lock is tried as typed before other spellings take what is left.
        let two = [6 * million, 7 * million];
        assert_eq!(spelled(&two, 2), (vec![(0, 2), (1, 1)], 7 * million));
        assert_eq!(spelled(&[5], 0), (vec![], 0));
        let recipes = [recipe("a", limits::STRETCH_ROUNDS + 1)];
        assert_eq!(plan(&recipes, 1, true).1, 0);
    }

    #[test]
    fn a_wish_to_stop_ends_it() {
        let cancel = Cancel::default();
        cancel.cancel();
        let effort = Effort { slow: false, progress: &Silent, cancel: &cancel };
        let text = SecretText::new("plain".to_owned());
        assert!(try_all(&text, &[recipe("a", 1 << 30)], &effort, &|_, _| true).is_none());
        let effort = Effort { slow: true, ..effort };
        assert!(try_all(&text, &[recipe("a", u32::MAX.into())], &effort, &|_, _| true).is_none());
    }
}
