// TypeScript's complaints about a cell as one Jupyter error, each with its place and the line in question.
const fs = require('node:fs');

/** The names that package.json exports, while .build/ is not there. */
const UNBUILT = /^Cannot find module 'meterbridge(\/(notebook|billing))?'/;

/**
 * @param {{ file: string, line: number, column: number, message: string }[]} diagnostics lines and columns
 *   from 1; `file` is empty for the cell itself
 * @param {string} source the cell's
 * @returns {{ ename: string, evalue: string, traceback: string[] }}
 */
function describeDiagnostics(diagnostics, source) {
  if (diagnostics.some(({ message }) => UNBUILT.test(message))) {
    const evalue = 'The library is not built: run `npm start` in the project, then restart this kernel.';
    return { ename: 'TypeScriptError', evalue, traceback: [`TypeScriptError: ${evalue}`] };
  }
  const lines = [];
  let previous;
  for (const diagnostic of diagnostics) {
    const { file, line, column } = diagnostic;
    // Outputs are kept in notebooks, so they name files as they are seen from the project.
    const message = diagnostic.message.replaceAll(`${process.cwd()}/`, '');
    // The further sentences of one complaint come as complaints at the same place, without the file's name.
    if (previous?.line === line && previous.column === column && (file === '' || file === previous.file)) {
      lines.push(`    ${message}`);
      continue;
    }
    lines.push(`${file ? `${file} ` : ''}${line}:${column} - ${message}`);
    const text = sourceLine(file, line, source);
    if (text !== undefined)
      lines.push(`  ${line} | ${text}`, `  ${' '.repeat(`${line}`.length)} | ${pad(text, column)}^`);
    previous = diagnostic;
  }
  const [evalue, ...rest] = lines;
  return { ename: 'TypeScriptError', evalue, traceback: [`TypeScriptError: ${evalue}`, ...rest] };
}

function sourceLine(file, line, cell) {
  // A module that a cell made with `@module` has a name and no file.
  if (file !== '' && !fs.existsSync(file)) return undefined;
  const text = file === '' ? cell : fs.readFileSync(file, 'utf8');
  return text.split('\n')[line - 1];
}

// Tabs stay tabs, so that the mark stands under its column.
function pad(text, column) {
  return text.slice(0, column - 1).replace(/[^\t]/g, ' ');
}

module.exports = { describeDiagnostics };
