import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type GrafanaDashboard, grafanaDashboard } from '../../src/dashboard/grafana-dashboard.js';
import { PANELS } from '../../src/dashboard/panels.js';
import { grafanaSchema } from './grafana-schema.js';

const file = new URL('../../.grafana/dashboards/meterbridge.json', import.meta.url);

/** The export with something else at a path such as `panels.0.type`; undefined takes it away. */
function changed(path: string, value: unknown): unknown {
  const dashboard = JSON.parse(JSON.stringify(grafanaDashboard())) as Record<string, unknown>;
  const names = path.split('.');
  const last = names.pop() as string;
  const parent = names.reduce((part, name) => part[name] as Record<string, unknown>, dashboard);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return dashboard;
}

describe('grafanaDashboard()', () => {
  it('is what is committed (npm run grafana writes it)', () => {
    expect(readFileSync(file, 'utf8'), 'run npm run grafana').toBe(
      `${JSON.stringify(grafanaDashboard(), undefined, 2)}\n`,
    );
  });

  it('fits the schema of Grafana’s dashboards', () => {
    expect(grafanaSchema.safeParse(grafanaDashboard()).error?.issues).toBeUndefined();
  });

  it.each([
    ['title', undefined],
    ['schemaVersion', '41'],
    ['uid', 'x'.repeat(41)],
    ['panels.0.type', 'graph'],
    ['panels.0.id', 2],
    ['panels.0.gridPos.w', 25],
    ['panels.1.gridPos.x', 13],
    ['panels.0.datasource.uid', 'P1234'],
    ['panels.0.targets', []],
    ['panels.0.targets.0.rawSql', ''],
    ['panels.0.targets.0.format', 'time_series'],
    ['panels.2.fieldConfig', undefined],
    ['panels.2.options.stacking', 'normal'],
    ['panels.3.fieldConfig.defaults.unit', '%'],
    ['panels.3.fieldConfig.defaults.thresholds.steps.0.value', 0],
    ['panels.3.fieldConfig.defaults.thresholds.steps.1.value', 96],
    ['templating.list.1.type', 'sql'],
    ['templating.list.1.hide', true],
    ['__inputs.0.pluginId', 'vertamedia-clickhouse-datasource'],
    ['__requires.1.version', 'latest'],
    ['pannels', []],
  ])('is refused with %s = %j', (path, value) => {
    expect(grafanaSchema.safeParse(changed(path, value)).success).toBe(false);
  });

  it('has a panel for each of ours, of its kind, with its unit and the gauge’s marks', () => {
    const { panels } = grafanaDashboard();
    expect(panels.map(({ title }) => title)).toEqual(PANELS.map(({ title }) => title));
    expect(panels.map(({ type, fieldConfig }) => `${type}, ${fieldConfig.defaults.unit}`)).toEqual([
      'barchart, suffix: queries',
      'barchart, suffix: tokens',
      'timeseries, currencyUSD',
      'gauge, percent',
      'timeseries, currencyUSD',
    ]);
    expect(panels[3]?.fieldConfig.defaults).toMatchObject({
      min: 0,
      max: 100,
      thresholds: { steps: [{ value: null }, { value: 80 }, { value: 95 }] },
    });
  });

  it('has no panel on top of another', () => {
    const cells = grafanaDashboard().panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  it('asks for the database and the plugins that it uses, and no others', () => {
    const { __inputs, __requires, templating } = grafanaDashboard();
    expect(templating.list[0]).toMatchObject({ current: { value: `\${${__inputs[0]?.name}}` } });
    expect(__requires.map(({ id }) => id)).toEqual([
      'grafana',
      'grafana-clickhouse-datasource',
      'barchart',
      'timeseries',
      'gauge',
    ]);
    expect(idsOf(grafanaDashboard(PANELS.slice(0, 1)))).not.toContain('gauge');
  });
});

const idsOf = ({ __requires }: GrafanaDashboard) => __requires.map(({ id }) => id);
