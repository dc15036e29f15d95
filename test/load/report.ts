/** What a run has shown, as figures and as lines. */
import { type Answer, CHECKS, confirmed } from './checks.js';
import type { LoadResult } from './load.js';
import type { LoadOptions } from './load-plan.js';

/** Milliseconds. */
export interface Latency {
  readonly answers: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface LoadReport extends LoadOptions {
  /** Answers a second over the part with a rate, and over the part without. */
  readonly heldPerSecond: number;
  readonly mostPerSecond: number;
  /** How many times what the course asks for. */
  readonly timesTheCourse: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Answers that were cut off, and how many of their events are there. */
  readonly cutOff: { readonly answers: number; readonly stored: number };
  readonly redisAwaySeconds: number;
  /** By when the request was sent. */
  readonly latency: Readonly<Record<'outside' | 'away' | 'after' | 'unpaced', Latency>>;
  /** Tenants that reached their quota, how many queries passed beyond it in all, and the largest U of one. */
  readonly quotas: { readonly reached: number; readonly beyond: number; readonly mostUnstored: number };
  readonly signups: number;
  /** What is wrong, by check. */
  readonly checks: Readonly<Record<string, readonly string[]>>;
}

/** The course: "1,000 requests an hour". */
const COURSE_PER_SECOND = 1_000 / 3_600;

/** After Redis's return, in ms. */
const AFTER_MS = 5_000;

export function reportOf(options: LoadOptions, { run, paced, free, redis }: LoadResult): LoadReport {
  const perSecond = ({ answers, seconds }: LoadResult['paced']) => answered(answers).length / seconds;
  const held = perSecond(paced);
  const spanOf = ({ sentAt }: Answer) => {
    if (sentAt < redis.killed || sentAt > redis.back + AFTER_MS) return 'outside';
    return sentAt < redis.back ? 'away' : 'after';
  };
  const inSpan = (span: string) => latencyOf(paced.answers.filter((answer) => spanOf(answer) === span));
  const known = new Set([...confirmed(run.answers), ...run.tenants.flatMap(({ earlier }) => earlier)]);
  const used = run.rollups.usage_daily;
  const full = run.tenants.filter(({ tenantId, quota }) => (used[tenantId] ?? 0) >= quota);
  const { seed, seconds, rate, tenants } = options;
  const tooSlow = held < rate ? [`${held.toFixed(1)} were held`] : [];
  return {
    ...{ seed, seconds, rate, tenants },
    heldPerSecond: held,
    mostPerSecond: perSecond(free),
    timesTheCourse: held / COURSE_PER_SECOND,
    statuses: statusesOf(run.answers),
    cutOff: {
      answers: run.answers.length - answered(run.answers).length,
      stored: run.stored.filter(({ eventId }) => !known.has(eventId)).length,
    },
    redisAwaySeconds: (redis.back - redis.killed) / 1_000,
    latency: {
      ...{ outside: inSpan('outside'), away: inSpan('away'), after: inSpan('after') },
      unpaced: latencyOf(free.answers),
    },
    quotas: {
      reached: full.length,
      beyond: full.reduce((sum, { tenantId, quota }) => sum + (used[tenantId] ?? 0) - quota, 0),
      mostUnstored: Math.max(...run.tenants.map(({ unstored }) => unstored)),
    },
    signups: run.signups.length,
    checks: {
      ...Object.fromEntries(Object.entries(CHECKS).map(([line, check]) => [line, check(run)])),
      [`at least ${rate} requests a second held`]: tooSlow,
    },
  };
}

/** Problems that are listed of each check. */
const LISTED = 10;

export function linesOf(report: LoadReport): string[] {
  const { statuses, cutOff, latency, quotas } = report;
  const whole = (value: number) => Math.round(value).toLocaleString('en-US');
  const ms = ({ answers, p50, p99, max }: Latency) =>
    answers === 0
      ? 'none was sent'
      : `p50 ${whole(p50)} ms, p99 ${whole(p99)} ms, longest ${whole(max)} ms, of ${whole(answers)}`;
  const counts = Object.entries(statuses).map(([status, count]) => `${whole(count)} × ${status}`);
  return [
    `held             ${report.heldPerSecond.toFixed(1)} requests/s over ${report.seconds} s, ` +
      `${whole(report.timesTheCourse)} times the course's 1,000 an hour`,
    `at most          ${report.mostPerSecond.toFixed(1)} requests/s without a rate; ${ms(latency.unpaced)}`,
    `answers          ${counts.join(', ')}; ${cutOff.answers} cut off, ${cutOff.stored} of them stored`,
    `latency          ${ms(latency.outside)}`,
    `  Redis away     ${ms(latency.away)} (${report.redisAwaySeconds.toFixed(1)} s)`,
    `  5 s after it   ${ms(latency.after)}`,
    `quotas           ${quotas.reached} tenants reached theirs, ${quotas.beyond} queries passed beyond; ` +
      `U at most ${quotas.mostUnstored}`,
    `signups          ${report.signups} meanwhile`,
    ...Object.entries(report.checks).flatMap(([line, problems]) => [
      `${problems.length > 0 ? '✗' : '✓'} ${line}`,
      ...problems.slice(0, LISTED).map((problem) => `    ${problem}`),
      ...(problems.length > LISTED ? [`    and ${problems.length - LISTED} more`] : []),
    ]),
  ];
}

const answered = (answers: readonly Answer[]) => answers.filter(({ status }) => status !== undefined);

function statusesOf(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = { 200: 0, 429: 0, 503: 0 };
  for (const { status } of answered(answers)) counts[Number(status)] = (counts[Number(status)] ?? 0) + 1;
  return counts;
}

function latencyOf(answers: readonly Answer[]): Latency {
  const sorted = answers.flatMap(({ ms }) => (ms === undefined ? [] : [ms])).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { answers: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
