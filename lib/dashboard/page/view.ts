import type { CacheDetail, CacheInfo, DashboardHello } from '../dashboard-state.js';
import type { PageState } from './page-state.js';

/** What a section of the page is given to show: the cache chosen, with its last detail. */
export interface Shown {
  readonly state: PageState;
  readonly hello: DashboardHello;
  readonly cache: CacheInfo;
  readonly detail: CacheDetail;
}

/** Shows something in its section of the page, which it knows by its ids. */
export type View = (shown: Shown) => void;
