//! A stored model holds a request to what `describe --request` says of it.

use std::fmt::Write;
use std::fs;

use crate::cli::{dbjob, folder};

/// A filter that a logarithm and a division rely on, one that only takes out outliers, and one behind a lookup.
const JOB: &str = r#"
dataset sales from csv("sales.csv") {
  id:     int key
  amount: float?
  items:  int in 0..
  shop:   int
  price:  float label
}
dataset shops from csv("shops.csv") {
  shop: int key
  size: float?
}
transform rows from sales {
  filter amount > 0.0 and items != 0
  filter amount < 50.0
  left join shops on shop lookup
  filter size is not null
  derive each = amount / items, unit = log(amount)
  split test 20%
}
model price_of from rows {
  input each, unit, size
  output price: float
  fit ridge
}
deploy price_of { to registry("models") }
"#;

#[test]
fn a_row_is_refused_by_what_steps_rely_on_and_not_by_what_chooses_training_rows() {
    let mut sales = String::from("id,amount,items,shop,price\n");
    for i in 1..=60 {
        writeln!(sales, "{i},{}.5,{},{},{i}.0", i % 40, 1 + i % 5, i % 3).unwrap();
    }
    let here = folder(&[("a.dbjob", JOB), ("sales.csv", &sales), ("shops.csv", "shop,size\n0,1.5\n1,2.5\n2,\n")]);
    let ran = dbjob(here.path(), &["run", "a.dbjob"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ask = |row: &str| {
        fs::write(here.path().join("in.csv"), format!("amount,items,shop\n{row}\n")).unwrap();
        dbjob(here.path(), &["predict", "models/price_of", "--input", "in.csv", "--output", "out.csv"])
    };
    // Far above every training row: the filter that took such rows out is nothing that a step relies on.
    for good in ["3.5,2,0", "900.0,1,1"] {
        let ended = ask(good);
        assert_eq!(ended.code, 0, "{good}: {ended:?}");
    }
    for (bad, rule) in [
        ("0.0,2,0", "amount > 0.0"),
        ("-4.0,2,0", "amount > 0.0"),
        ("3.5,0,0", "items != 0"),
        ("3.5,2,2", "size is not null"),
        ("3.5,2,9", "size is not null"),
        (",2,0", "amount"),
    ] {
        let ended = ask(bad);
        assert!(ended.code != 0 && ended.err.contains(rule), "{bad} is refused by `{rule}`: {ended:?}");
    }
}
