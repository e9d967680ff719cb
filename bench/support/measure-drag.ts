/** One frame of a drag. */
export interface DragStep {
  readonly eventMs: number
  readonly frameMs: number
  /** The draft's transaction with all its subscribers. */
  readonly storeMs: number
  readonly glMs: number
  /** Since the end of the frame before. */
  readonly wallMs: number
}

interface Drag {
  readonly steps: number
  /** Where the pointer was pressed, in the page. */
  readonly x: number
  readonly y: number
}

/** Runs in the page, with the mouse held down: it cannot use anything from outside of itself. */
export async function measureDrag({ steps, x, y }: Drag): Promise<DragStep[]> {
  const { draft } = window.rowcastEditor ?? {}
  const clock = window.frameClock
  const canvas = document.querySelector('canvas')
  const current = draft?.()
  if (!canvas || !clock || !current) throw new Error('The page has no map.')

  let storeMs = 0
  // Of the class: a drag may open a draft of its own.
  let owner = Object.getPrototypeOf(current) as { transaction(...args: unknown[]): unknown }
  while (!Object.hasOwn(owner, 'transaction')) owner = Object.getPrototypeOf(owner) as typeof owner
  const { transaction } = owner
  owner.transaction = function timed(...args) {
    const from = performance.now()
    try {
      return transaction.apply(this, args)
    } finally {
      storeMs += performance.now() - from
    }
  }
  const results: DragStep[] = []
  const task = (): Promise<void> =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => resolve()
      port2.postMessage(undefined)
    })
  try {
    let last = performance.now()
    for (let step = 0; step < steps; step++) {
      await task()
      const turn = (step / 50) * 2 * Math.PI
      const glBefore = clock.glMs
      storeMs = 0
      const from = performance.now()
      canvas.dispatchEvent(
        new PointerEvent('pointermove', {
          pointerId: 1,
          bubbles: true,
          clientX: x + 40 * Math.cos(turn),
          clientY: y + 40 * Math.sin(turn),
        }),
      )
      await Promise.resolve()
      const eventDone = performance.now()
      const result = await new Promise<DragStep>((resolve) => {
        requestAnimationFrame(() => {
          const done = performance.now()
          resolve({
            eventMs: eventDone - from,
            frameMs: done - clock.frameStartedAt,
            storeMs,
            glMs: clock.glMs - glBefore,
            wallMs: done - last,
          })
          last = done
        })
      })
      results.push(result)
    }
  } finally {
    owner.transaction = transaction
  }
  return results
}
