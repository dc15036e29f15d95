import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CommittedNotebook, committedNotebooks, notebooksFolder } from './committed.js';

const page = readFileSync(join(notebooksFolder, 'INSTRUCTOR.md'), 'utf8');
/** What the page says of each notebook: its heading is the notebook's name. */
const parts = new Map(page.split(/^## /m).map((part) => [part.slice(0, part.indexOf('\n')), part]));
const notebooks = committedNotebooks('.');
const each = notebooks.map((notebook) => [notebook.name, notebook] as const);

/** The rows of a part's tables that have these columns, each as an object. */
function rowsWith(notebook: CommittedNotebook, ...columns: string[]): Record<string, string>[] {
  return (parts.get(notebook.name) ?? '').split(/\n{2,}/).flatMap((block) => {
    const lines = block.split('\n').filter((line) => line.startsWith('|'));
    const [header = [], , ...rows] = lines.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    if (!columns.every((column) => header.includes(column))) return [];
    return rows.map((row) => Object.fromEntries(header.map((column, at) => [column, row[at] ?? ''])));
  });
}

/** A notebook's sections, each with the headings in it, its own first. */
function sectionsOf({ cells }: CommittedNotebook): string[][] {
  const texts = cells.filter(({ cell_type }) => cell_type === 'markdown').map(({ source }) => source);
  const headings = texts.join('\n').match(/^##+ .+$/gm) ?? [];
  return headings.reduce<string[][]>((sections, heading) => {
    if (heading.startsWith('## ')) sections.push([]);
    sections.at(-1)?.push(heading.replace(/^#+ /, ''));
    return sections;
  }, []);
}

describe('notebooks/INSTRUCTOR.md', () => {
  it('speaks of the notebooks that there are', () => {
    const named = [...parts.keys()].filter((title) => title.includes('_'));
    expect(named.sort()).toEqual(notebooks.map(({ name }) => name).sort());
  });

  it.each(each)('gives each section of %s its minutes, 45 in all', (_, notebook) => {
    const rows = rowsWith(notebook, 'section', 'minutes');
    expect(rows.map(({ section }) => section)).toEqual(sectionsOf(notebook).map(([title]) => title));
    expect(rows.reduce((sum, { minutes }) => sum + Number(minutes), 0)).toBe(45);
  });

  it.each(each)('names sections and cells that %s has', (_, notebook) => {
    const headings = sectionsOf(notebook).flat();
    const named = rowsWith(notebook, 'section').map(({ section = '' }) => section);
    expect(named.filter((title) => !headings.includes(title))).toEqual([]);
    const cells = rowsWith(notebook, 'section', 'cell').map(({ cell = '' }) => cell.replaceAll('`', ''));
    const ids = notebook.cells.map(({ id }) => id);
    expect(cells.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it.each(each)('sets each section of %s beside the course’s', (_, notebook) => {
    const faced = new Set(rowsWith(notebook, 'course', 'section').map(({ section }) => section));
    const alone = sectionsOf(notebook).filter((headings) => !headings.some((title) => faced.has(title)));
    expect(alone.map(([title]) => title).filter((title) => title !== '0. Set-up')).toEqual([]);
  });
});
