"""Jobs over the data of the examples: the maps in front of many learners, each written as ONNX and into a registry."""

PENGUINS = """
job penguins { seed = 7 }

dataset penguins from csv("data/penguins.csv", nulls = ["NA"]) {
  species:           category("Adelie", "Chinstrap", "Gentoo") label
  island:            category
  bill_length_mm:    float? in 10.0..=80.0
  bill_depth_mm:     float? in 5.0..=40.0
  flipper_length_mm: float? in 100.0..=300.0
  body_mass_g:       float? in 1000.0..=10000.0
  sex:               category("female", "male")?
}

transform measured from penguins {
  derive { unknown = sex is null, slim = flipper_length_mm / (body_mass_g ?? 4000.0) }
  derive long = if bill_length_mm > 45.0 or slim < 0.045 then 1.0 else 0.0
  split test 30%
  map slim with impute(0.05), power
  map bill_length_mm, bill_depth_mm with impute(median), standardize
  map flipper_length_mm with impute(mean), min_max
  map body_mass_g with impute(median), robust, clip(-2.0, 2.0)
  map sex with impute(mode)
  map island, sex with one_hot
}
"""
PENGUINS_INPUT = "bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g, island, sex, unknown, slim, long"

DIAMONDS = """
job diamonds { seed = 3 }

dataset stones from csv("data/diamonds.csv") {
  carat:   float in 0.0..
  cut:     category("Fair", "Good", "Very Good", "Premium", "Ideal")
  color:   category("D", "E", "F", "G", "H", "I", "J")
  clarity: category("I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF")
  depth:   float
  table:   float
  x:       float in 0.0..
  y:       float in 0.0..
  z:       float in 0.0..
  price:   float in 0.0.. label
  expect x > 0 and y > 0 and z > 0 else drop
}

transform dollars from stones {
  derive replace { color = if color == "J" then "I" else color }
  split test 25%
  map carat, x, y, z with log1p, standardize
  map depth with bucket(quantiles = 5)
  map table with standardize
  map [x, y, z] with pca(2) as size
  map cut with index
  map color with count_encode, log, min_max
  map clarity with one_hot
}

transform logarithms from dollars {
  map price with log1p, standardize
}
"""
DIAMONDS_INPUT = "carat, depth, table, size, cut, color, clarity"

FLIGHTS = """
job flights { seed = 13 }

dataset departures from csv("data/flights.csv", nulls = ["NA"]) {
  time_hour: datetime key
  carrier:   category key
  flight:    int key
  origin:    category("EWR", "JFK", "LGA")
  distance:  int in 1..
  dep_delay: int?
  arr_delay: int? late
}

transform flown from departures {
  filter dep_delay is not null
  derive {
    local = time_hour - 5h
    hour = hour(local)
    weekday = weekday(local)
    month = month(local)
    day = day(date(local))
    rush = hour in 7..=9 or hour in [16, 17, 18] and not (weekday in 6..=7)
    speed = abs(round(dep_delay / 7)) % 3
    parity = flight % 2 == 0
    label is_late = arr_delay > 15
  }
  split test 25%
  map carrier with target_encode(is_late)
  map origin with one_hot
  map hour with cyclic(24.0) as clock
  map distance with sqrt, standardize
  map speed with impute(0.0)
}
"""
FLIGHTS_INPUT = "dep_delay, distance, clock, weekday, month, day, rush, speed, parity, origin, carrier"

SHOP = """
job shop { seed = 7 }

dataset seen from csv("data/user-product-data.csv") {
  user_id:    int id
  product_id: int
  price:      float in 0.0..
  label:      int label
}

transform views from seen {
  split by user_id { train 80%, test 20% }
  map price with log1p
  map user_id, product_id, price with standardize
}
"""
SHOP_INPUT = 'user_id as "user-id", product_id as "product-id", price'


def model(name, table, inputs, output, fit, more=""):
    """A model that goes to a registry and to ONNX."""
    output = f"output {output}\n  " if output else ""
    return f"""
model {name} from {table} {{
  input {inputs}
  {output}fit {fit}
  {more}
}}
deploy {name} {{
  to registry("models")
  to onnx("out/{name}.onnx")
}}
"""


# Nulls and categories as they are, for learners that take them.
NATIVE = PENGUINS + """
transform native from penguins {
  split test 30%
}
"""
NATIVE_INPUT = "bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g, island, sex"

FLIGHTS_NATIVE = FLIGHTS + """
transform native from departures {
  filter dep_delay is not null
  derive label is_late = arr_delay > 15
  split test 25%
}
"""

# (set, head of the job, file, table, inputs, output, [(name, algorithm, options, further statements)])
SETS = [
    ("penguins", PENGUINS, "penguins.csv", "measured", PENGUINS_INPUT, "species: category", [
        ("logistic", "logistic_regression", "", ""),
        ("logistic_l1", "logistic_regression", "{ penalty = l1 }", "calibrate = isotonic"),
        ("forest", "random_forest", "{ trees = 50 }", ""),
        ("boosting", "gradient_boosting", "{ trees = 30 }", "calibrate = sigmoid"),
        ("bayes", "naive_bayes", "", ""),
        ("bernoulli", "naive_bayes", "{ type = bernoulli }", ""),
        ("net", "mlp", "{ layers = [32, 16], epochs = 40 }", ""),
        ("dummy", "dummy", "", ""),
    ]),
    ("penguins", NATIVE, "penguins.csv", "native", NATIVE_INPUT, "species: category", [
        ("tree", "decision_tree", "", ""),
        ("forest", "random_forest", "{ trees = 30 }", ""),
        ("extra", "extra_trees", "{ trees = 30 }", ""),
        ("boosting", "gradient_boosting", "{ trees = 30 }", ""),
    ]),
    ("penguins", PENGUINS, "penguins.csv", "measured", PENGUINS_INPUT, None, [
        ("groups", "kmeans", "{ k = 4 }", ""),
    ]),
    ("diamonds", DIAMONDS, "diamonds.csv", "logarithms", DIAMONDS_INPUT, "price: float", [
        ("linear", "linear_regression", "", ""),
        ("ridge", "ridge", "", "conformal = 90%"),
        ("lasso", "lasso", "{ alpha = 0.01 }", ""),
        ("elastic", "elastic_net", "{ alpha = 0.01 }", ""),
        ("forest", "random_forest", "{ trees = 20, max_depth = 12 }", ""),
        ("boosting", "gradient_boosting", "{ trees = 50 }", ""),
        ("dummy", "dummy", "{ strategy = median }", ""),
        ("net", "mlp", "{ activation = tanh, epochs = 10 }", ""),
    ]),
    ("diamonds", DIAMONDS, "diamonds.csv", "dollars", DIAMONDS_INPUT, "price: float", [
        ("poisson", "poisson_regression", "", ""),
        ("gamma", "gamma_regression", "", ""),
    ]),
    ("flights", FLIGHTS, "flights.csv", "flown", FLIGHTS_INPUT, "is_late: bool", [
        ("logistic", "logistic_regression", "", "threshold = 0.3"),
        ("forest", "random_forest", "{ trees = 50, max_depth = 10 }", "calibrate = isotonic"),
        ("boosting", "gradient_boosting", "{ trees = 50 }", ""),
        ("net", "mlp", "{ activation = sigmoid, epochs = 3, learning_rate = 0.01 }", ""),
    ]),
    ("flights", FLIGHTS_NATIVE, "flights.csv", "native", "dep_delay, distance, carrier, origin", "is_late: bool", [
        ("boosting", "gradient_boosting", "{ trees = 50 }", ""),
        ("extra", "extra_trees", "{ trees = 20, max_depth = 10 }", ""),
    ]),
    ("shop", SHOP, "user-product-data.csv", "views", SHOP_INPUT, "label: int classes", [
        ("adam", "logistic_regression", "{ epochs = 20, learning_rate = 0.01, optimizer = adam }", ""),
        ("forest", "random_forest", "{ trees = 20 }", ""),
    ]),
]
