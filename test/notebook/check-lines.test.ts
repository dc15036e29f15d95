import { describe, expect, it, vi } from 'vitest';
import type { CheckResult } from '../../src/checks/check.js';
import { printCheck, printReport, reportLine, verify } from '../../src/notebook/check-lines.js';
import { inKernel } from './kernel-stub.js';

const pass: CheckResult = {
  id: 'dashboard-performance',
  title: 'Dashboard performance',
  status: 'pass',
  evidence: ['all panels under 1.0 s', '150,000 events read'],
  expected: [],
  measured: { slowest: 0.031 },
  seconds: 0.042,
};
const fail: CheckResult = {
  ...pass,
  title: 'Invoices',
  status: 'fail',
  evidence: ['47.22 is not 47.23', 'tenant acme-corp'],
  advice: 'round each line once',
};
const skip: CheckResult = {
  ...pass,
  title: 'Stripe',
  status: 'skip',
  evidence: ['OFFLINE=true'],
  expected: ['28,450 in the meter', '$18.45 on the invoice'],
};

function printed(print: () => void): string {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  print();
  const lines = log.mock.calls.map((call) => call.join(' ')).join('\n');
  log.mockRestore();
  return lines;
}

describe('printCheck()', () => {
  it('prints what a passed check found, without its seconds', () => {
    expect(printed(() => printCheck(pass))).toBe(
      '✓ Dashboard performance: all panels under 1.0 s\n  150,000 events read',
    );
  });

  it('prints what to mend after a failure', () => {
    expect(printed(() => printCheck(fail))).toBe(
      '✗ FAIL Invoices: 47.22 is not 47.23\n  tenant acme-corp\n  → round each line once',
    );
  });

  it('prints why it skips and what would be seen', () => {
    expect(printed(() => printCheck(skip))).toBe(
      '⚠️  Skipping Stripe (OFFLINE=true)\n  expected: 28,450 in the meter\n  expected: $18.45 on the invoice',
    );
  });
});

describe('printReport()', () => {
  it('prints a line a check, then how many are ready', () => {
    expect(printed(() => printReport({ bridge: 'm12.1-m12.2', results: [pass, fail, skip, pass] }))).toBe(
      [
        '✓ Dashboard performance: all panels under 1.0 s',
        '✗ FAIL Invoices: 47.22 is not 47.23',
        '⚠️  Skipping Stripe (OFFLINE=true)',
        '✓ Dashboard performance: all panels under 1.0 s',
        '2/4 checks ready, 1 skipped, 1 failed',
      ].join('\n'),
    );
  });
});

describe('reportLine()', () => {
  it.each([
    [[pass, pass, pass, pass], '4/4 checks ready'],
    [[pass, skip, skip, skip], '1/4 checks ready, 3 skipped'],
    [[pass, fail], '1/2 checks ready, 1 failed'],
  ])('counts what is ready, %#', (results, line) => {
    expect(reportLine({ bridge: 'm12.1-m12.2', results })).toBe(line);
  });
});

describe('verify()', () => {
  it('prints whether a claim holds', () => {
    expect(printed(() => verify(true, 'the same'))).toBe('✓ the same');
    expect(printed(() => verify(false, 'the same'))).toBe('✗ FAIL the same');
  });

  it('colours the mark, and that alone, in a notebook', () => {
    inKernel();
    const [bold, green, red, plain] = ['\u001b[1m', '\u001b[32m', '\u001b[31m', '\u001b[39m\u001b[22m'];
    expect(printed(() => verify(false, 'the same'))).toBe(`${bold}${red}✗ FAIL${plain} the same`);
    expect(printed(() => printCheck(pass))).toBe(
      `${bold}${green}✓${plain} Dashboard performance: all panels under 1.0 s\n  150,000 events read`,
    );
  });
});
