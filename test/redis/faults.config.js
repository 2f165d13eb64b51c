import base from '../../jest.config.js';

/** The tests that stop, kill and cut off servers and processes: minutes long, so a command of their own. */
export default { ...base, rootDir: '../..', testRegex: '\\.fault-spec\\.ts$' };
