//! Third parties' vectors, which stand beside the repository in ../shared/vectors. Without them these tests show nothing, and say
//! so; in CI that is a failure.
use crate::common::*;
use pq_websocket::kem::{DecapsulationKey, EncapsulationKey, Kem};
use serde_json::Value;
use std::path::Path;

fn load_beside(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors").join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).expect("vectors are JSON")),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{name} can't be read: {error}");
            eprintln!("left out: no {name} in ../shared/vectors beside the repository");
            None
        }
    }
}

/// The HPKE working group's cases of MLKEM768-X25519.
#[test]
fn hybrid() {
    let Some(vectors) = load_beside("hpke/mlkem768_x25519.json") else { return };
    for case in cases(&vectors) {
        let key = DecapsulationKey::generate(Kem::MlKem768X25519, &mut Script::new([hex(&case["skRm"])]));
        assert_eq!(key.encapsulation_key(), hex(&case["pkRm"]));
        let public = EncapsulationKey::parse(Kem::MlKem768X25519, &hex(&case["pkRm"])).expect("the key is good");
        let (ciphertext, ss) = public.encapsulate(&mut Script::new([hex(&case["ikmE"])])).expect("the key is good");
        assert_eq!(ciphertext, hex(&case["enc"]));
        assert_eq!(ss.bytes().to_vec(), hex(&case["shared_secret"]));
        assert_eq!(key.decapsulate(&ciphertext).expect("its length is right").bytes(), ss.bytes());
    }
}

fn wycheproof(name: &str, test: impl Fn(&Value, bool)) {
    let Some(vectors) = load_beside(&format!("wycheproof/{name}")) else { return };
    for group in cases(&vectors["testGroups"]) {
        cases(&group["tests"]).iter().for_each(|case| test(case, case["result"] == "valid"));
    }
}

#[test]
fn ml_kem() {
    for (kem, number) in [(Kem::MlKem768, "768"), (Kem::MlKem1024, "1024")] {
        let key = |case: &Value| DecapsulationKey::generate(kem, &mut Script::new([hex(&case["seed"])]));
        wycheproof(&format!("mlkem_{number}_keygen_seed_test.json"), |case, _| {
            assert_eq!(key(case).encapsulation_key(), hex(&case["ek"]), "{}", case["tcId"]);
        });
        wycheproof(&format!("mlkem_{number}_test.json"), |case, is_valid| {
            if hex(&case["seed"]).len() != 64 {
                assert!(!is_valid);
                return;
            }
            let ss = key(case).decapsulate(&hex(&case["c"])).map(|ss| ss.bytes().to_vec());
            assert_eq!(ss == Some(hex(&case["K"])), is_valid, "{}", case["tcId"]);
        });
        wycheproof(&format!("mlkem_{number}_encaps_test.json"), |case, is_valid| {
            let public = EncapsulationKey::parse(kem, &hex(&case["ek"]));
            assert_eq!(public.is_some(), is_valid, "{}", case["tcId"]);
            let Some(public) = public else { return };
            let made = public.encapsulate(&mut Script::new([hex(&case["m"])])).expect("the key is good");
            assert_eq!((made.0, made.1.bytes().to_vec()), (hex(&case["c"]), hex(&case["K"])), "{}", case["tcId"]);
        });
    }
}

/// The draft leaves it open; this peer refuses what gives zeros.
#[test]
fn keys_that_x25519_refuses() {
    let key = DecapsulationKey::generate(Kem::MlKem768X25519, &mut Script::new([vec![7; 32]]));
    let zero = [&key.encapsulation_key()[..1184], &[0; 32]].concat();
    let public = EncapsulationKey::parse(Kem::MlKem768X25519, &zero).expect("its ML-KEM part is good");
    assert!(public.encapsulate(&mut Script::new([])).is_none());
    assert!(key.decapsulate(&[0; 1120]).is_none());
}
