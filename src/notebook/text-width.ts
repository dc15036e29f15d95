/**
 * How wide a line of text is in DejaVu Sans. Reach for it where a chart is laid out without a browser:
 * Plotly asks the page for text sizes, and the page that it gets in Node has no fonts.
 */

/**
 * Advance widths of the characters from space to tilde, in hundredths of the font size (from DejaVu's
 * `hmtx` table, version 2.37). A flat 7 px a character, the usual stub, is off by half for "Illinois".
 */
const ASCII_WIDTHS = [
  32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34,
  34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73,
  68, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63,
  63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84,
];
const SPACE = 32;
/** Accented letters are as wide as their base; arrows, check marks and the like are wider. */
const LETTER_WIDTH = 62;
const SYMBOL_WIDTH = 84;
/** The bold face is a tenth wider, letter for letter. */
const BOLD = 1.1;

/** Width of one line in pixels at `fontSize` pixels. */
export function textWidth(text: string, fontSize: number, bold = false): number {
  let hundredths = 0;
  for (const character of text) hundredths += characterWidth(character);
  return (hundredths / 100) * fontSize * (bold ? BOLD : 1);
}

function characterWidth(character: string): number {
  const known = ASCII_WIDTHS[character.charCodeAt(0) - SPACE];
  return known ?? (/\p{L}/u.test(character) ? LETTER_WIDTH : SYMBOL_WIDTH);
}
