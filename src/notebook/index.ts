/** What a cell shows: tables, charts, check lines. The only part of the kit that knows Jupyter. */
export { type ChartOptions, type ChartTrace, chart } from './chart.js';
export { printCheck, printReport, reportLine, verify } from './check-lines.js';
export { dashboardChart } from './dashboard-chart.js';
export { type Column, type Frame, frame, type Groups } from './frame.js';
export { type Progress, progress } from './progress.js';
export { type Figure, renderChart } from './render-chart.js';
export { type MimeBundle, show } from './show.js';
export { type TableOptions, table } from './table.js';
export { COLORS } from './theme.js';
export { type WithServiceOptions, withService } from './with-service.js';
