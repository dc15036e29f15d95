import { styleText } from 'node:util';
import type { CheckResult, Report } from '../checks/check.js';
import { kernelDisplay } from './show.js';

/**
 * Prints whether a claim holds, with a mark that stands out: `✓ the same`, or `✗ FAIL the same`.
 *
 * @example verify(2n * 50n === 100n, 'the same'); // ✓ the same
 */
export function verify(holds: boolean, claim: string): void {
  console.log(marked(`${holds ? '✓' : '✗ FAIL'} ${claim}`));
}

/**
 * Prints one readiness check: what was found, a line each. Seconds are left out, so that a notebook's kept
 * output is the same after every run.
 *
 * @example
 * printCheck(await checkDashboardPerformance(services.clickhouse, { now })); // ✓ Dashboard performance: …
 */
export function printCheck(result: CheckResult): void {
  console.log(marked(linesOf(result).map(folded).join('\n')));
}

/**
 * Prints a line for each check of a bridge, then how many are ready.
 *
 * @example printReport({ bridge: 'm12.1-m12.2', results: [await checkDataAccuracy(services.clickhouse, { now })] });
 */
export function printReport(report: Report): void {
  const lines = report.results.map((result) => marked(linesOf(result)[0] ?? ''));
  console.log([...lines, reportLine(report)].join('\n'));
}

/**
 * `4/4 checks ready`, `1/4 checks ready, 3 skipped`, `2/4 checks ready, 1 skipped, 1 failed`.
 *
 * @example reportLine({ bridge: 'm12.1-m12.2', results: [] }) // '0/0 checks ready'
 */
export function reportLine({ results }: Report): string {
  const count = (status: CheckResult['status']) =>
    results.filter((result) => result.status === status).length;
  const [skipped, failed] = [count('skip'), count('fail')];
  const parts = [`${count('pass')}/${results.length} checks ready`];
  if (skipped > 0) parts.push(`${skipped} skipped`);
  if (failed > 0) parts.push(`${failed} failed`);
  return parts.join(', ');
}

function linesOf({ status, title, evidence, expected, advice }: CheckResult): string[] {
  const [first = '', ...others] = evidence;
  const finding = first ? `: ${first}` : '';
  const indented = others.map((line) => `  ${line}`);
  switch (status) {
    case 'pass':
      return [`✓ ${title}${finding}`, ...indented];
    case 'fail':
      return [`✗ FAIL ${title}${finding}`, ...indented, ...(advice ? [`  → ${advice}`] : [])];
    case 'skip':
      return [
        `⚠️  Skipping ${title}${first ? ` (${first})` : ''}`,
        ...expected.map((line) => `  expected: ${line}`),
      ];
    default:
      throw new TypeError(`Cannot print a check: status is ${String(status satisfies never)}`);
  }
}

/** Colours the mark that the text begins with, in a notebook alone: elsewhere a line may go to a file. */
function marked(text: string): string {
  if (!kernelDisplay()) return text;
  return text.replace(/^(✓|✗ FAIL)/, (mark) =>
    styleText(['bold', mark === '✓' ? 'green' : 'red'], mark, { validateStream: false }),
  );
}

/** Columns that a notebook shows without breaking words. */
const WIDTH = 96;

/** Breaks a long line between words, its rest indented. */
function folded(line: string): string {
  const last = line.lastIndexOf(' ', WIDTH);
  if (line.length <= WIDTH || last <= INDENT.length) return line;
  return `${line.slice(0, last)}\n${folded(`${INDENT}${line.slice(last + 1)}`)}`;
}

const INDENT = '    ';
