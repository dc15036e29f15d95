// A stack as a learner can use it: places in cells and in the project's own sources, with the line that was
// reached. Frames of tslab and of Node are left out; built files are followed back to src/.
const fs = require('node:fs');
const { SourceMap } = require('node:module');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { cellMaps } = require('./cell-maps.cjs');

const FRAME = /^\s+at (?:(?<call>.+) \()?(?<file>\S+?):(?<line>\d+):(?<column>\d+)\)?$/;
const MACHINERY = /[\\/]tslab[\\/]dist[\\/]|^node:|[\\/]\.jupyter[\\/]kernel/;

/**
 * @param {Error} error
 * @returns {string[]} lines of text: the line of the cell first, then the frames, innermost first
 */
function readableStack(error) {
  const frames = String(error.stack ?? '')
    .split('\n')
    .map((line) => FRAME.exec(line)?.groups)
    .filter(
      (frame) => frame && !MACHINERY.test(frame.file) && !cellMaps.isWrapper(frame.file, Number(frame.line)),
    )
    // What earlier cells defined is called through tslab's proxy of their variables: `Proxy.total`.
    .map(({ call, file, line, column }) => ({
      call: call?.replace(/^Proxy\./, ''),
      ...locate(file, Number(line), Number(column)),
    }));
  const inCell = frames.find(({ text }) => text !== undefined);
  return [
    ...(inCell ? [`  ${inCell.line} | ${inCell.text}`] : []),
    ...frames.map(({ call, file, line, column }) => {
      const place = `${file}:${line}:${column}`;
      return call ? `    at ${call} (${place})` : `    at ${place}`;
    }),
  ];
}

function locate(file, line, column) {
  const inCell = cellMaps.locate(file, line, column);
  if (inCell) return { file, ...inCell };
  const local = file.startsWith('file:') ? fileURLToPath(file) : file;
  const shown = (name) => (path.isAbsolute(name) ? path.relative(process.cwd(), name) : name);
  const map = `${local}.map`;
  if (!path.isAbsolute(local) || shown(local).startsWith('node_modules') || !fs.existsSync(map)) {
    return { file: shown(local), line, column };
  }
  const entry = new SourceMap(JSON.parse(fs.readFileSync(map, 'utf8'))).findEntry(line - 1, column - 1);
  if (entry.originalSource === undefined) return { file: shown(local), line, column };
  return {
    file: shown(path.resolve(path.dirname(local), entry.originalSource)),
    line: entry.originalLine + 1,
    column: entry.originalColumn + 1,
  };
}

module.exports = { readableStack };
