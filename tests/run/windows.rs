//! Windows and asof joins in whole jobs: what they write, what a model learns from them, and how it is asked.

use std::fs;

use super::columns;
use crate::cli::{dbjob, folder};

const VISITS: &str = "\
user,at,pages,bought
1,2024-01-01T08:00:00,3,false
2,2024-01-01T09:00:00,5,true
1,2024-01-03T08:00:00,2,false
1,2024-01-03T08:00:00,4,true
2,2024-02-20T09:00:00,1,false
1,2024-01-08T08:00:00,,false
";

#[test]
fn each_frame_sees_what_its_definition_says_and_rows_stay_where_they_are() {
    let job = r#"
dataset visits from csv("visits.csv") { user: int id; at: datetime time; pages: int?; bought: bool }
transform seen from visits {
  window by user order at {
    nth      = row_number()
    tied     = rank()
    previous = lag(pages, default = 0)
    last_5d  = sum(pages) over last 5d
    before   = count() over previous 5d
    will_buy = any(bought) over next 30d
    share    = pages / sum(pages) over all
  }
  window { all_pages = sum(pages) }
  drop at, pages, bought
}
deploy seen { to csv("seen.csv") }
"#;
    let here = folder(&[("job.dbjob", job), ("visits.csv", VISITS)]);
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let text = fs::read_to_string(here.path().join("seen.csv")).expect("the table");
    assert_eq!(
        text,
        "\
user,nth,tied,previous,last_5d,before,will_buy,share,all_pages
1,1,1,0,3,0,true,0.3333333333333333,15
2,1,1,0,5,0,,0.8333333333333334,15
1,2,2,3,9,1,false,0.2222222222222222,15
1,3,2,2,9,1,false,0.4444444444444444,15
2,2,2,5,1,0,,0.16666666666666666,15
1,4,4,4,,2,,,15
"
    );
}

/// Orders whose cost follows the price of the day before, and the prices.
fn orders_and_prices() -> (String, String) {
    let (mut orders, mut prices) = ("order,at,sku,amount,cost\n".to_owned(), "sku,at,list\n".to_owned());
    for i in 0..240 {
        let (day, sku) = (i % 28 + 1, if i % 2 == 0 { "a" } else { "b" });
        let list = f64::from(day) * if i % 2 == 0 { 1.5 } else { 4.0 };
        let amount = 1 + i % 7;
        orders.push_str(&format!("{i},2024-03-{day:02}T12:00:00,{sku},{amount},{}\n", list * f64::from(amount)));
        if i < 56 {
            prices.push_str(&format!("{sku},2024-03-{day:02}T00:00:00,{list}\n"));
        }
    }
    (orders, prices)
}

#[test]
fn an_asof_join_with_lookup_answers_requests_as_the_training_rows() {
    let job = r#"
dataset orders from csv("orders.csv") {
  order: int key; at: datetime time; sku: string; amount: int; cost: float label
}
dataset prices from csv("prices.csv") { sku: string; at: datetime; list: float }
transform rows from orders {
  asof join prices on at by sku within 3d lookup
  derive total = list * float(amount)
  split test 25%
  map total with impute(median)
}
model price from rows {
  input  total, amount
  output cost: float
  fit ridge
  evaluate r2
  require r2 > 0.9
}
deploy price { to registry("models") }
transform own from rows { predict price as p; select p }
deploy own { to csv("own.csv") }
"#;
    let (orders, prices) = orders_and_prices();
    let here = folder(&[("job.dbjob", job), ("orders.csv", &orders), ("prices.csv", &prices)]);
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let request: String =
        orders.lines().map(|line| line.rsplit_once(',').expect("a label").0.to_owned() + "\n").collect();
    fs::write(here.path().join("request.csv"), request).expect("a request");
    // The prices travel with the model.
    fs::remove_file(here.path().join("prices.csv")).expect("they were there");
    let args = ["predict", "models/price/versions/1", "--input", "request.csv", "--output", "answer.csv", "--as", "p"];
    let ended = dbjob(here.path(), &args);
    assert_eq!(ended.code, 0, "{ended:?}");
    let (own, answer) = (columns(&here.path().join("own.csv")), columns(&here.path().join("answer.csv")));
    assert_eq!(own["p"].len(), 240);
    assert_eq!(answer["p"], own["p"]);
}

#[test]
fn a_model_on_a_window_is_asked_with_its_inputs() {
    let job = r#"
dataset visits from csv("visits.csv") { user: int id; at: datetime time; pages: int; bought: bool }
transform rows from visits {
  window by user order at { before = sum(pages) over previous 30d, nth = row_number() }
  split by user test 25%
  map before with impute(0)
}
model buys from rows {
  input  before, nth, pages
  output bought: bool
  fit logistic_regression
  evaluate accuracy, log_loss
}
deploy buys {
  to registry("models")
  accept inputs
}
"#;
    let mut visits = String::from("user,at,pages,bought\n");
    for i in 0..200 {
        let (user, day, pages) = (i % 20, i / 20 + 1, i * 7 % 11);
        visits.push_str(&format!("{user},2024-05-{day:02}T10:00:00,{pages},{}\n", pages > 5));
    }
    let here = folder(&[("job.dbjob", job), ("visits.csv", &visits), ("one.csv", "before,nth,pages\n,1,9\n12,4,2\n")]);
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let args = ["predict", "models/buys/versions/1", "--input", "one.csv", "--output", "answer.csv", "--as", "p"];
    let ended = dbjob(here.path(), &args);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(columns(&here.path().join("answer.csv"))["p"], ["true", "false"]);

    let by_dataset = job.replace("  accept inputs\n", "");
    fs::write(here.path().join("job.dbjob"), by_dataset).expect("a job");
    let ended = dbjob(here.path(), &["check", "job.dbjob"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains("E0601") && ended.err.contains("a window needs more than one row"), "{}", ended.err);
}

#[test]
fn a_sum_that_overflows_is_told_with_the_line_of_the_job() {
    let job = r#"
dataset counts from csv("counts.csv") { day: date time; n: int }
transform sums from counts {
  window order day {
    week = sum(n) over last 7d
  }
}
deploy sums { to csv("sums.csv") }
"#;
    let data = "day,n\n2024-01-01,9223372036854775807\n2024-01-20,1\n2024-01-02,1\n";
    let here = folder(&[("job.dbjob", job), ("counts.csv", data)]);
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("E0709") && ended.err.contains("in row 3 of"), "{}", ended.err);
    assert!(ended.err.contains("job.dbjob:4:3"), "{}", ended.err);
}
