/** How Grafana draws a panel: what each of its panel plugins is told. */
import { variable } from './grafana-query.js';
import type { Panel } from './panels.js';

/**
 * `fieldConfig` and `options`; what is left out has Grafana's default.
 *
 * @example drawingOf(PANELS[3]).fieldConfig.defaults.unit // 'percent'
 */
export function drawingOf({ kind, unit, thresholds }: Panel) {
  const defaults = { unit: unitOf(unit), displayName: variable('__field.labels.series') };
  const chart = {
    legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
    tooltip: { mode: 'multi', sort: 'none' },
  };
  const axis = { axisLabel: unit };
  switch (kind) {
    case 'bars':
      return {
        fieldConfig: { defaults: { ...defaults, custom: axis }, overrides: [] },
        options: {
          ...chart,
          orientation: 'vertical',
          stacking: 'normal',
          showValue: 'never',
          xTickLabelSpacing: 100,
          barWidth: 0.9,
          groupWidth: 0.7,
          fullHighlight: false,
        },
      };
    case 'line':
      return {
        fieldConfig: { defaults: { ...defaults, min: 0, custom: { ...axis, lineWidth: 2 } }, overrides: [] },
        options: chart,
      };
    case 'gauge':
      return {
        fieldConfig: {
          defaults: { ...defaults, min: 0, max: 100, ...marksOf(thresholds) },
          overrides: [],
        },
        options: {
          reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
          showThresholdLabels: true,
          showThresholdMarkers: true,
        },
      };
    default:
      return kind satisfies never;
  }
}

/** Grafana's first step has no value: it goes down to minus infinity. */
function marksOf(thresholds: Panel['thresholds']) {
  if (!thresholds) return {};
  const steps = [
    { color: 'blue', value: null },
    { color: 'orange', value: thresholds.warning },
    { color: 'red', value: thresholds.alarm },
  ];
  return { color: { mode: 'thresholds' }, thresholds: { mode: 'absolute', steps } };
}

/** Grafana's name of a unit; ours stands behind the figure where Grafana has none. */
function unitOf(unit: string): string {
  if (unit === '$') return 'currencyUSD';
  return unit === '%' ? 'percent' : `suffix: ${unit}`;
}
