import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take 10 s and more, longest first: begun late, one of them would hold up the end. */
const LONG = [
  'kernel/headless',
  'commands/check',
  'tenants/onboarding/onboarding-crash',
  'crash/crash',
  'tenants/onboarding/onboarding',
  'commands/reconcile',
  'commands/serve',
  'checks/onboarding-and-lifecycle',
  'checks/lifecycle-to-integration',
  'billing/reconciliation-faults',
  'docstrings',
  'load/load',
  'billing/reconciliation-usage',
  'server/webhook-crash',
  'metering/rollups',
  'tenants/purge-tenant',
  'kernel/lifecycle',
  'services/processes',
  'commands/webhooks',
  'billing/follow-chain',
  'server/dunning-at-the-gate',
  'tenants/lifecycle-model',
  'metering/tracker-faults',
  'invoices/stored-late',
  'local-stripe/scale',
];

/** Project by project, so that a process goes on with the next file of the same; in each the longest first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const names = [...new Set(files.map(({ project }) => project.name))];
    const rank = ({ project, moduleId }: TestSpecification) => {
      const place = LONG.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return names.indexOf(project.name) * 100 + (place === -1 ? LONG.length : place);
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
