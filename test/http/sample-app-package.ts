import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SampleAppProcess } from './sample-app-process.js';

/** The library and the sample application of now, compiled into a temporary folder. */
export class SampleAppPackage {
  readonly #processes: SampleAppProcess[] = [];

  private constructor(readonly folder: string) {}

  static async build(): Promise<SampleAppPackage> {
    const folder = await mkdtemp(join(tmpdir(), 'sample-app-'));
    const builder = join(import.meta.dirname, 'build-sample-app.mjs');
    await promisify(execFile)(process.execPath, [builder, folder]);
    return new SampleAppPackage(folder);
  }

  /** Where its embedded databases keep their data. */
  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  /** Starts the application, or another program of it with its arguments, with these settings. */
  start(settings: Readonly<Record<string, string>> = {}, ...program: string[]): SampleAppProcess {
    const environment = { PLACES_DATA_DIR: this.dataFolder, ...settings };
    const app = new SampleAppProcess(this.folder, environment, program);
    this.#processes.push(app);
    return app;
  }

  /** Whether a process holds the data, or died holding it. */
  async isLocked(): Promise<boolean> {
    return (await readdir(this.dataFolder)).some((name) => name.startsWith('lock.'));
  }

  /** Ends what still runs and removes everything. */
  async remove(): Promise<void> {
    await Promise.all(this.#processes.map((app) => app.ended('SIGKILL')));
    await rm(this.folder, { recursive: true, force: true });
  }
}
