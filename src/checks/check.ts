/** What a readiness check is, and how one runs. */
import { messageOf } from '../say-failure.js';
import type { Service } from '../service.js';

/** What a readiness check found. */
export interface CheckResult {
  /** Stable short name, e.g. `dashboard-performance`. */
  readonly id: string;
  /** The course's title of the check, e.g. `Dashboard performance`. */
  readonly title: string;
  readonly status: 'pass' | 'fail' | 'skip';
  /** What was found, a line each; for a skip the reason alone. The same at every run. */
  readonly evidence: readonly string[];
  /** For a skip: what a run with the service prints. */
  readonly expected: readonly string[];
  /** For a failure: what to mend first. */
  readonly advice?: string;
  /** Figures that may differ from run to run, e.g. seconds. */
  readonly measured: Readonly<Record<string, number>>;
  /** Wall-clock seconds that the check took. */
  readonly seconds: number;
}

/** All checks of one bridge, in the course's order. */
export interface Report {
  /** e.g. `m12.1-m12.2` */
  readonly bridge: string;
  readonly results: readonly CheckResult[];
}

/** What a test found; `problems` empty means passed. */
export interface Finding {
  readonly problems: readonly string[];
  readonly evidence: readonly string[];
  readonly measured?: Readonly<Record<string, number>>;
}

export interface CheckDefinition<Client> {
  readonly id: string;
  readonly title: string;
  readonly expected: readonly string[];
  readonly advice: string;
  readonly test: (client: Client) => Promise<Finding>;
}

/**
 * Runs one check on a service. An error of the test is a failure with the error's sentence.
 *
 * @example const result = await runCheck(services.clickhouse, { id, title, expected, advice, test });
 */
export async function runCheck<Client>(
  service: Service<Client>,
  { id, title, expected, advice, test }: CheckDefinition<Client>,
): Promise<CheckResult> {
  const started = performance.now();
  const result = (
    outcome: Pick<CheckResult, 'status' | 'evidence' | 'advice'>,
    measured = {},
  ): CheckResult => ({
    id,
    title,
    expected: outcome.status === 'skip' ? expected : [],
    measured,
    seconds: (performance.now() - started) / 1_000,
    ...outcome,
  });
  if (service.mode === 'off') return result({ status: 'skip', evidence: [service.skip] });
  try {
    const { problems, evidence, measured } = await test(service.client);
    return problems.length > 0
      ? result({ status: 'fail', evidence: problems, advice }, measured)
      : result({ status: 'pass', evidence }, measured);
  } catch (error) {
    return result({ status: 'fail', evidence: [messageOf(error)], advice });
  }
}
