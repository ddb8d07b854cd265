"""The settings that all contenders get, in dbjob's words."""

SEED = 7
BOOSTING = {"trees": 100, "learning_rate": 0.1, "max_leaves": 31, "min_samples_leaf": 20, "max_bins": 255, "lambda": 0.0}
FOREST = {"trees": 100}
LOGISTIC = {"c": 1.0, "tol": 1e-4, "max_iter": 1000}
MLP = {"layers": [64], "learning_rate": 0.001, "batch_size": 256, "epochs": 20}

# All options of dbjob's learners.
OURS = {
    "gradient_boosting": {
        **BOOSTING, "depth": None, "min_gain": 0.0, "subsample": 1.0, "colsample": 1.0, "loss": "squared", "class_weight": "none",
        "stop_early": None, "increasing": [], "decreasing": [],
    },
    "random_forest": {
        **FOREST, "max_depth": None, "max_features": None, "min_samples_leaf": 1, "min_samples_split": 2, "bootstrap": True,
        "max_bins": 255, "criterion": "gini", "class_weight": "none",
    },
    "logistic_regression": {
        **LOGISTIC, "penalty": "l2", "l1_ratio": 0.5, "fit_intercept": True, "optimizer": "auto", "epochs": 100,
        "learning_rate": 0.01, "batch_size": 256, "class_weight": "none",
    },
    "mlp": {
        **MLP, "activation": "relu", "dropout": 0.0, "schedule": "constant", "decay": None, "decay_every": 30,
        "optimizer": "adam", "momentum": 0.9, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": None,
        "stop_early": None, "class_weight": "none",
    },
}
# (algorithm, form of the matrix, sets, peers)
RUNS = [
    ("gradient_boosting", "codes", ["adult", "census_kdd", "flights", "delays", "digits"], ["sklearn", "lightgbm", "xgboost"]),
    ("random_forest", "filled", ["adult", "census_kdd", "flights", "delays", "digits"], ["sklearn"]),
    ("logistic_regression", "scaled", ["adult", "census_kdd", "flights", "digits"], ["sklearn", "sparse"]),
    ("mlp", "scaled", ["adult", "census_kdd", "flights", "digits"], ["sklearn"]),
]
