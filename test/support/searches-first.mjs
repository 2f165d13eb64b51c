import Sequencer from '@jest/test-sequencer';

const SEARCHES = '/test/interleaving/';

/**
 * Runs the long searches first, in processes where nothing else has run: some specs, such as those whose
 * loaders wait for one another, switch on hooks of promises that Node never switches off again. The
 * searches await millions of promises, and take twenty times as long after such a one.
 */
export default class SearchesFirst extends (Sequencer.default ?? Sequencer) {
  async sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is the method of a sequencer
    const sorted = await super.sort(tests);
    const isSearch = ({ path }) => path.includes(SEARCHES);
    return [...sorted.filter(isSearch), ...sorted.filter((test) => !isSearch(test))];
  }
}
