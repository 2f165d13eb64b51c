import Sequencer from '@jest/test-sequencer';

const SEARCHES = /\/test\/(interleaving|model)\//;

/**
 * Runs the long searches first. Where all specs share one process some switch on hooks of promises that
 * Node never switches off again, and these specs await millions of them: after such a one they take ten
 * times as long.
 */
export default class SearchesFirst extends (Sequencer.default ?? Sequencer) {
  async sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is the method of a sequencer
    const sorted = await super.sort(tests);
    const isSearch = ({ path }) => SEARCHES.test(path);
    return [...sorted.filter(isSearch), ...sorted.filter((test) => !isSearch(test))];
  }
}
