/** What a readiness check found. */
export interface CheckResult {
  /** Stable short name, e.g. `dashboard-performance`. */
  readonly id: string;
  /** The course's title of the check, e.g. `Dashboard performance`. */
  readonly title: string;
  readonly status: 'pass' | 'fail' | 'skip';
  /** What was measured, a line each; for a skip the reason alone. */
  readonly evidence: readonly string[];
  /** For a skip: what a run with the service prints. */
  readonly expected: readonly string[];
  /** For a failure: what to mend first. */
  readonly advice?: string;
  /** Wall-clock seconds that the check took. */
  readonly seconds: number;
}

/** All checks of one bridge, in the course's order. */
export interface Report {
  /** e.g. `m12.1-m12.2` */
  readonly bridge: string;
  readonly results: readonly CheckResult[];
}
