import type { TableGrid } from './table.js';

/** A grey that is seen on white and on black. */
const BORDER = 'solid rgba(128,128,128,0.4)';
const ROOMY = 'padding:0.25em 0.9em';
/** For tables that would not fit otherwise: 13 columns do, beside the file list of a JupyterLab on a laptop. */
const TIGHT = 'padding:0.25em 0.4em';
const MANY_COLUMNS = 10;

/**
 * A table as HTML, styled on each element (sanitizers strip `<style>`) and without colours of its own, so
 * that it is readable in a light and in a dark notebook. `align` says it again for GitHub, which strips styles.
 */
export function tableHtml({ caption, columns, rows, note }: TableGrid): string {
  const isRoomy = columns.length < MANY_COLUMNS;
  const padding = isRoomy ? ROOMY : TIGHT;
  const line = (tag: 'th' | 'td', texts: readonly string[], border: string): string => {
    const cells = texts.map((text, i) => {
      const align = columns[i]?.right ? 'right' : 'left';
      // Figures do not break; a name would, at its dash.
      const whole = isRoomy || align === 'right' ? '' : ';white-space:nowrap';
      return `<${tag} align="${align}" style="text-align:${align};${padding}${whole}">${escapeHtml(text)}</${tag}>`;
    });
    return `<tr style="border-bottom:${border} ${BORDER}">${cells.join('')}</tr>`;
  };
  const head = columns.map(({ heading }) => heading);
  const left = `style="text-align:left;${padding}"`;
  return [
    `<table style="border-collapse:collapse;font-variant-numeric:tabular-nums${isRoomy ? '' : ';font-size:0.8em'}">`,
    ...(caption ? [`<caption ${left}>${escapeHtml(caption)}</caption>`] : []),
    ...(head.length > 0 ? [`<thead>${line('th', head, '2px')}</thead>`] : []),
    '<tbody>',
    ...rows.map((row) => line('td', row, '1px')),
    ...(note ? [`<tr><td colspan="${head.length || 1}" ${left}><i>${escapeHtml(note)}</i></td></tr>`] : []),
    '</tbody></table>',
  ].join('\n');
}

const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  $: '<span>$</span>',
};

/** Text that stays text in HTML, also where Jupyter looks for formulas between dollar signs. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'$]/g, (character) => ENTITIES[character] ?? character);
}
