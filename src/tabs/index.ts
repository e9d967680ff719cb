/**
 * tabs: the tabs of one origin agree on a leader and send each other requests. Imports src/errors.
 * @module
 */
export type {
  AnyTabCalls,
  Provision,
  ProvideOptions,
  RequestOptions,
  TabAnswer,
  TabCalls,
  TabContext,
  TabInfo,
  TabMessage,
  TabPayload,
  Tabs,
  TabsOptions,
} from './api.ts'
export { createTabs } from './create-tabs.ts'
