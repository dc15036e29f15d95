import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take 10 s and more, longest first: begun late, one of them would hold up the end. */
const LONG = [
  'kernel/headless',
  'tenants/onboarding/onboarding',
  'tenants/onboarding/onboarding-crash',
  'commands/reconcile',
  'commands/check',
  'crash/crash',
  'tenants/purge-tenant',
  'metering/rollups',
  'metering/insert-batch',
  'billing/reconciliation-faults',
  'commands/serve',
  'load/load',
  'kernel/lifecycle',
  'commands/webhooks',
  'services/processes',
  'metering/tracker-faults',
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
