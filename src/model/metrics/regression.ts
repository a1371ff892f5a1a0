// Errors of a regression from six sums that can be added up over silos.

export interface RegressionSums {
  /** Records, above 0. */
  readonly records: number;
  /** Sums of abs(e) and e^2, e = prediction - target. */
  readonly absoluteErrors: number;
  readonly squaredErrors: number;
  /** Sums of s and s^2, s = target less any constant. */
  readonly targets: number;
  readonly targetSquares: number;
}

export interface RegressionMetrics {
  /** Mean absolute error and root of the mean squared error, in the unit of the target. */
  readonly meanAbsoluteError: number;
  readonly rootMeanSquaredError: number;
  /** 1 - sum of e^2 / sum of (t - mean of t)^2; undefined where targets do not differ by more than `spreadMin`. */
  readonly r2: number | undefined;
}

/** `spreadMin`: below this the sum of squares around the mean may be rounding alone. */
export function regressionMetrics(sums: RegressionSums, spreadMin = 0): RegressionMetrics {
  const { records, absoluteErrors, squaredErrors, targets, targetSquares } = sums;
  const squares = Math.max(0, squaredErrors);
  const spread = targetSquares - (targets * targets) / records;
  return {
    meanAbsoluteError: Math.max(0, absoluteErrors) / records,
    rootMeanSquaredError: Math.sqrt(squares / records),
    r2: spread > spreadMin ? 1 - squares / spread : undefined,
  };
}
