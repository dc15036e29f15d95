// Tells where a run printed something else than the committed notebook shows. Pictures are left out: another
// platform's fonts and renderer may differ in a pixel.
const LONGEST_LINE = 160;

/**
 * @param {object} committed a notebook
 * @param {object} executed the same one after a run
 * @returns {string[]} a text for each code cell that differs; the number is that of its execution
 */
export function compareOutputs(committed, executed) {
  const [before, after] = [committed, executed].map(outputsByCell);
  if (before.every((text) => text === '')) {
    return ['it is committed without outputs: run npm run notebooks -- NAME --write'];
  }
  return after.flatMap((text, index) => {
    const expected = before[index] ?? '';
    return text === expected ? [] : [`cell [${index + 1}] printed something else\n${show(expected, text)}`];
  });
}

/** The outputs of each cell that runs, as one text. */
function outputsByCell({ cells }) {
  return cells
    .filter(({ cell_type, source }) => cell_type === 'code' && textOf(source).trim() !== '')
    .map(({ outputs }) => outputs.map(outputText).join('\n'));
}

function outputText({ output_type, name, text, data, ename, evalue }) {
  if (output_type === 'stream') return `${name}:\n${textOf(text)}`;
  if (output_type === 'error') return `${ename}: ${evalue}`;
  return Object.entries(data)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([type, value]) => (type === 'image/png' ? type : `${type}:\n${textOf(value)}`))
    .join('\n');
}

/** Notebooks keep a text as one string or as its lines; JSON data as they are. */
function textOf(value) {
  if (typeof value === 'string') return value;
  return Array.isArray(value) && value.every((line) => typeof line === 'string')
    ? value.join('')
    : JSON.stringify(value);
}

/** The first line that differs, of both. */
function show(expected, actual) {
  const [before, after] = [expected, actual].map((text) => text.split('\n'));
  const longest = Math.max(before.length, after.length);
  const at = Array.from({ length: longest }, (_, line) => line).find((line) => before[line] !== after[line]);
  const line = (lines) => (lines[at] === undefined ? '(nothing)' : shorten(lines[at]));
  return `  committed: ${line(before)}\n  this run:  ${line(after)}`;
}

function shorten(line) {
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}
