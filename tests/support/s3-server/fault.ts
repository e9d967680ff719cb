import type { S3ErrorCode } from './s3-error.ts'
import type { S3Request } from './s3-request.ts'

/** Milliseconds, or what is waited for. */
export type Wait = number | Promise<unknown>

/** Whether a fault comes before the request is done, or after it; before, if not given. */
export type FaultTime = 'before' | 'after'

/** What goes wrong with a request. */
export type Fault =
  /** It is refused: 503 by SlowDown, 500 by InternalError, 409 by ConditionalRequestConflict; after it was done, wrongly. */
  | { readonly kind: 'answer'; readonly code: S3ErrorCode; readonly when?: FaultTime }
  /** It is done late, or answered late. */
  | { readonly kind: 'delay'; readonly wait: Wait; readonly when?: FaultTime }
  /** Its connection is reset; after it was done, that is an answer lost. */
  | { readonly kind: 'reset'; readonly when?: FaultTime }
  /** It is never answered. */
  | { readonly kind: 'hang'; readonly when?: FaultTime }
  /** It is done after a while, its conditions checked only then, though its connection was reset or never answered. */
  | { readonly kind: 'late'; readonly wait: Wait; readonly told: 'reset' | 'nothing' }
  /** A byte of its object flips where it is stored: after a write, before a read; `at` is taken modulo its length. */
  | { readonly kind: 'flip'; readonly at: number }
  /** The answer ends within its body, after so many bytes. */
  | { readonly kind: 'cut'; readonly bytes: number }

/** Decides, for each request that came in whole, what goes wrong with it. */
export type FaultHook = (request: S3Request) => Fault | undefined
