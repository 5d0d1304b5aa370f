//! Our own rounds of PBKDF2 give what the crate of that name gives.

use keyhaul::base::stretch::Recipe;
use proptest::prelude::*;
use sha2::Sha512;

use crate::chance::cases;

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn the_crate_agrees(
        passphrase in prop::collection::vec(any::<u8>(), 0..300),
        salt in prop::collection::vec(any::<u8>(), 0..300),
        rounds in 1_u32..2_100,
        bytes in 16_usize..=130,
    ) {
        let recipe = Recipe::new(&salt, rounds.into(), 8 * bytes as u64).unwrap();
        let mut told = 0;
        let key = recipe.stretch(&passphrase, &mut |rounds| {
            told += u64::from(rounds);
            true
        });
        let mut expected = vec![0; bytes];
        pbkdf2::pbkdf2_hmac::<Sha512>(&passphrase, &salt, rounds, &mut expected);
        prop_assert_eq!(key.unwrap().expose().to_vec(), expected);
        prop_assert_eq!(told, recipe.work());
    }
}
