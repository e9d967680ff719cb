import { RowcastError } from '../../errors/index.ts'

/** Nothing more of a body came for too long, or its connection broke. */
export class BodyPausedError extends RowcastError<'body-paused'> {
  override readonly name: string = 'BodyPausedError'
  constructor(what: string, options?: ErrorOptions) {
    super('body-paused', `${what}: send it again, all at once`, options)
  }
}

/**
 * A body as it comes. Who stops early cancels the rest. Throws BodyPausedError where it breaks off, and where nothing comes
 * for so long, so that nobody holds on to what a body takes without sending it.
 */
export async function* bodyParts(request: Request, pauseMs: number): AsyncGenerator<Uint8Array, void, undefined> {
  if (!request.body) return
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader()
  let done = false
  try {
    for (;;) {
      const read = await within(reader.read().catch(brokeOff), pauseMs)
      done = read.done
      if (read.done) return
      yield read.value
    }
  } finally {
    if (!done) await reader.cancel().catch(ignoreBroken)
  }
}

function brokeOff(cause: unknown): never {
  throw new BodyPausedError('the body broke off', { cause })
}

/** A body that has broken off can't be cancelled, and need not be. */
function ignoreBroken(): void {}

async function within<Result>(promise: Promise<Result>, ms: number): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new BodyPausedError(`nothing more of the body came for ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
