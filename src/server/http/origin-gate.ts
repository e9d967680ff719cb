import { RowcastError } from '../../errors/index.ts'
import { isAllowedOrigin, type CorsOptions } from './origins.ts'

/** So many origins are named; whoever makes them up fills no disk. */
const MOST_NAMED = 100

/** A page of an origin that this server does not take. The page itself is told nothing by its browser. */
export class RefusedOriginError extends RowcastError<'origin'> {
  override readonly name: string = 'RefusedOriginError'
  constructor(origin: string) {
    super(
      'origin',
      `pages of ${origin} are refused: to let them in, start with --cors ${origin} (the option cors: { origins: ['${origin}'] })`,
    )
  }
}

/** Whether a request may come from where it says it does. */
export type OriginGate = (origin: string | null | undefined, host: string | null | undefined) => boolean

/** Lets requests in by their origin, and reports the first one of each origin that it does not. */
export function createOriginGate(cors: CorsOptions | undefined, report: (error: unknown) => void): OriginGate {
  const named = new Set<string>()
  return (origin, host) => {
    if (isAllowedOrigin(origin, host, cors)) return true
    if (origin != null && !named.has(origin) && named.size < MOST_NAMED) {
      named.add(origin)
      report(new RefusedOriginError(origin))
    }
    return false
  }
}
