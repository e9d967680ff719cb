import { inspect } from 'node:util'
import { RefusedOriginError } from './http/origin-gate.ts'

/** What was reported, for the terminal: in one line what is no failure of the server, else with its stack. */
export function describeReport(error: unknown): string {
  return error instanceof RefusedOriginError ? error.message : inspect(error)
}
