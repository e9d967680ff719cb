/**
 * triggers: trigger SQL, the journal of what the triggers told, and the dispatcher that tells subscribers. Imports
 * src/errors, src/changes, src/schema and src/drivers.
 * @module
 */
export { installCapture, type CaptureTarget } from './capture.ts'
export { Dispatcher, type RowListener } from './dispatcher.ts'
export { traceRows, traceRowsInSteps, type JournalEntry, type RowTrace } from './journal.ts'
