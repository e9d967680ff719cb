/** A page of tabs.e2e.test.ts: one tab that stands, answers `work` while it leads, and can ask. */
import { createTabs, type TabInfo, type Tabs } from 'rowcast/tabs'

export interface Calls {
  /** Answers with the id of the tab that did it; odd numbers are never answered by a tab told to hold them back. */
  work(n: number): string
}

export interface TestTab {
  readonly tabs: Tabs<Calls>
  /** How often this tab began each request, by its id. */
  readonly runs: Record<string, number>
  holdBack: boolean
  leader: string | undefined
  present: readonly TabInfo[]
  readonly answers: Promise<string>[]
}

declare global {
  interface Window {
    testTab: TestTab
  }
}

const search = new URLSearchParams(location.search)
const tabs = createTabs<Calls>({ name: 'test', term: Number(search.get('term') ?? 10_000) })
const testTab: TestTab = { tabs, runs: {}, holdBack: false, leader: undefined, present: [], answers: [] }
window.testTab = testTab
tabs.leader$.subscribe((leader) => (testTab.leader = leader))
tabs.tabs$.subscribe((present) => (testTab.present = present))
tabs.provide(
  'work',
  (n, { requestId }) => {
    testTab.runs[requestId] = (testTab.runs[requestId] ?? 0) + 1
    return testTab.holdBack && n % 2 === 1 ? new Promise<string>(() => undefined) : tabs.id
  },
  { whileLeading: true },
)
if (search.has('stand')) tabs.stand()
