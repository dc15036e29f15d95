import type { TableGrid } from './table.js';

/** A table as lines of text, for terminals, diffs and screen readers. */
export function tableText({ caption, columns, rows, note }: TableGrid): string {
  const widths = columns.map(({ heading }, i) =>
    Math.max(...[heading, ...rows.map((row) => row[i] ?? '')].map(length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, i) => {
        const gap = ' '.repeat((widths[i] ?? 0) - length(text));
        return columns[i]?.right ? gap + text : text + gap;
      })
      .join('  ')
      .trimEnd();
  return [
    ...(caption ? [caption] : []),
    ...(columns.length > 0
      ? [line(columns.map(({ heading }) => heading)), line(widths.map((width) => '─'.repeat(width)))]
      : []),
    ...rows.map(line),
    ...(note ? [note] : []),
  ].join('\n');
}

/** In characters as read, not in UTF-16 units. */
function length(text: string): number {
  return [...text].length;
}
