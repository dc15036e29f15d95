// From a place in the code that runs back to the line the learner wrote. A cell is compiled in two steps
// (TypeScript to ES modules, those to CommonJS), so a place goes through two source maps.
const { SourceMap } = require('node:module');

const CELL_OUTPUT = '__tslab__.js.map';
/** `cell[n]` → the maps of its two steps and its source. */
const cells = new Map();
let emitted;
let transpiled;

const cellMaps = {
  /** Keeps the first step's map, which tslab drops. Returns the program. */
  watchEmit(program) {
    const emit = program.emit;
    program.emit = (file, write, ...rest) =>
      emit(
        file,
        (name, text, ...more) => {
          if (name.endsWith(CELL_OUTPUT)) emitted = text;
          write(name, text, ...more);
        },
        ...rest,
      );
    return program;
  },

  /** Takes the second step's map; the cell itself is always the last that tslab transpiles. */
  transpiled(map) {
    transpiled = map;
  },

  /** Files the maps just made under a cell's name, with what was written and what runs. */
  keep(name, source, output) {
    const lines = source.split('\n');
    cells.set(name, { steps: [transpiled, emitted], lines, outputLines: output.split('\n').length });
  },

  /** Whether a line lies in tslab's wrapper around the cell, which nobody wrote. */
  isWrapper(name, line) {
    const cell = cells.get(name);
    return cell !== undefined && line > cell.outputLines;
  },

  /**
   * @param {string} name e.g. `cell[3]`
   * @param {number} line of the code that runs, from 1
   * @param {number} column of it, from 1
   * @returns {{ line: number, column: number, text: string } | undefined} the place in the cell, from 1
   */
  locate(name, line, column) {
    const cell = cells.get(name);
    if (!cell) return undefined;
    let place = { line: line - 1, column: column - 1 };
    for (const step of cell.steps) {
      const entry = new SourceMap(JSON.parse(step)).findEntry(place.line, place.column);
      if (entry.originalLine === undefined) return undefined;
      place = { line: entry.originalLine, column: entry.originalColumn };
    }
    // tslab puts one line before the cell, so the line counted from 0 is the cell's counted from 1.
    const text = cell.lines[place.line - 1];
    return text === undefined ? undefined : { line: place.line, column: place.column + 1, text };
  },
};

module.exports = { cellMaps };
