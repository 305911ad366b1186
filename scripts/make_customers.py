"""Make the table of customers that the README clusters. Nobody in it exists: it is drawn with a fixed seed.

Three soft segments, told apart by what a customer's purchases are worth and how often they come: regular customers
(90 %), frequent ones of small purchases (8 %), and rare ones of large purchases (2 %). Logarithms of both columns are
normal in each segment.

python scripts/make_customers.py customers.csv
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

SEED = 20240501
N_CUSTOMERS = 5000
SHARES = (0.90, 0.08, 0.02)
MEDIANS = ((45.0, 6.0), (14.0, 42.0), (600.0, 2.5))  # euros a purchase, purchases a year
SPREADS = ((0.45, 0.50), (0.30, 0.28), (0.30, 0.35))  # standard deviations of the logarithms
CORRELATIONS = (-0.35, 0.2, 0.3)


def customers() -> tuple[np.ndarray, np.ndarray]:
    """Return purchase value in euros and purchases a year (N, 2), and the segment that each row was drawn from (N,)."""
    rng = np.random.default_rng(SEED)
    segments = rng.choice(len(SHARES), N_CUSTOMERS, p=SHARES)
    values = np.empty((N_CUSTOMERS, 2))
    for k, (medians, spreads, correlation) in enumerate(zip(MEDIANS, SPREADS, CORRELATIONS, strict=True)):
        covariance = np.outer(spreads, spreads) * [[1, correlation], [correlation, 1]]
        chosen = segments == k
        values[chosen] = np.exp(rng.multivariate_normal(np.log(medians), covariance, chosen.sum(), method="cholesky"))
    return values, segments


def main() -> int:
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "customers.csv")
    values, _ = customers()
    lines = ["customer,purchase_value,purchases_per_year"]
    lines += [f"{number},{value:.2f},{frequency:.2f}" for number, (value, frequency) in enumerate(values, 1)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
