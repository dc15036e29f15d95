// Whether a package is there, without loading it: the kernel answers a missing one with a sentence.
/** @param {string} name a package's name @returns {boolean} */
function installed(name) {
  try {
    require.resolve(`${name}/package.json`);
    return true;
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return false;
    throw error;
  }
}

module.exports = { installed };
