/** What takes as long as a database is large, beside the event loop. */
export { Beside, isSmall, type MeasuredSources, type WorkOptions } from './beside.ts'
export type { Progress } from './work-host.ts'
export type { Works } from './works.ts'
