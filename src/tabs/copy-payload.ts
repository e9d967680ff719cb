import { RowcastError } from '../errors/index.ts'

/**
 * A copy as another tab would receive it. Made when it is given, so that changes made after it don't travel and the
 * caller hears of what can't be sent. Throws RowcastError with code `tabs`.
 */
export function copyPayload(payload: unknown, what: string): unknown {
  // Most payloads of notices are nothing, a number or a text.
  if (payload === null || (typeof payload !== 'object' && typeof payload !== 'function' && typeof payload !== 'symbol'))
    return payload
  try {
    return structuredClone(payload)
  } catch (error) {
    throw new RowcastError(
      'tabs',
      `${what} can't be sent to another tab: ${error instanceof Error ? error.message : String(error)}. ` +
        'Send plain data: objects, arrays, typed arrays, maps, sets, dates.',
      { cause: error },
    )
  }
}
