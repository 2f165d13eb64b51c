// It comes with Jest, which runs everything in it unless told otherwise.
import { TestEnvironment } from 'jest-environment-node';

/**
 * The environment of Jest for Node.js, which lets a spec hear of its failures: what it has as the global
 * `onTestFailure` is called and waited for when a test has failed and nothing is tidied up yet.
 */
export default class NodeEnvironment extends TestEnvironment {
  async handleTestEvent({ name, test }) {
    if (name === 'test_fn_failure') await this.global.onTestFailure?.(test.name);
  }
}
