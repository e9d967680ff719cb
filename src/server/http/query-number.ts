import { RequestError } from './error-response.ts'

/** A whole number of the query, `undefined` where there is none. Throws RequestError (400) for anything else. */
export function queryNumber(url: URL, name: string, minimum: number): number | undefined {
  const text = url.searchParams.get(name)
  if (text === null) return undefined
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value) && value >= minimum) return value
  throw new RequestError(400, 'malformed', `'${name}' is to be a whole number from ${minimum} on`)
}
