import type { S3Operation } from './s3-request.ts'

/** Requests that came in whole, and the bytes of their bodies and of the answers' bodies. */
export interface Traffic {
  readonly requests: number
  readonly bytesIn: number
  readonly bytesOut: number
}

const none: Traffic = { requests: 0, bytesIn: 0, bytesOut: 0 }

/** Counts traffic by what was asked for. */
export class TrafficCounters {
  readonly #counts = new Map<S3Operation, Traffic>()

  add(operation: S3Operation, more: Partial<Traffic>): void {
    this.#counts.set(operation, sum(this.of(operation), { ...none, ...more }))
  }

  of(operation: S3Operation): Traffic {
    return this.#counts.get(operation) ?? none
  }

  get total(): Traffic {
    return [...this.#counts.values()].reduce(sum, none)
  }

  reset(): void {
    this.#counts.clear()
  }
}

function sum(a: Traffic, b: Traffic): Traffic {
  return {
    requests: a.requests + b.requests,
    bytesIn: a.bytesIn + b.bytesIn,
    bytesOut: a.bytesOut + b.bytesOut,
  }
}
