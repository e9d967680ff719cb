/** One step of a slider. */
export interface SliderStep {
  /** Script of the input event: the write, its subscribers, and React's render. */
  readonly eventMs: number
  /** Of these, the draft's write with all subscribers. */
  readonly storeMs: number
  /** Script of the next frame's callbacks. */
  readonly frameMs: number
  readonly glMs: number
  /** From the event to the end of the frame's callbacks. */
  readonly wallMs: number
  /** Whether the next frame's callbacks found the mirror's arrays, the scene's picture and both panels updated. */
  readonly buffers: boolean
  readonly drawn: boolean
  readonly panels: boolean
}

/** Runs in the page: it cannot use anything from outside of itself. */
export async function measureSlider({ steps }: { readonly steps: number }): Promise<SliderStep[]> {
  const { mirror, scene, draft } = window.rowcastEditor ?? {}
  const clock = window.frameClock
  const find = (testId: string): HTMLInputElement => {
    const element = document.querySelector(`[data-testid="${testId}"]`)
    if (!(element instanceof HTMLInputElement)) throw new Error(`There is no input ${testId}.`)
    return element
  }
  const [slider, first, second, other] = [
    'field-1-icon.size',
    'number-1-icon.size',
    'number-2-icon.size',
    'field-2-icon.size',
  ].map(find)
  const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set
  const id = document.querySelector('[data-testid=table-row][aria-selected=true]')?.getAttribute('data-id')
  const current = draft?.()
  if (!slider || !first || !second || !other || !setValue || !mirror || !scene || !clock || !current || !id) {
    throw new Error('The page has no open annotation.')
  }
  const slot = mirror.slotOf(id)
  const sizeNow = (): number | undefined => mirror.arrays.icon[slot * 4]

  // The bound field writes by the draft's table.
  let storeMs = 0
  const table = Object.getPrototypeOf(current.table('annotation')) as { set(...args: unknown[]): unknown }
  const { set } = table
  table.set = function timed(...args) {
    const from = performance.now()
    try {
      return set.apply(this, args)
    } finally {
      storeMs += performance.now() - from
    }
  }
  const task = (): Promise<void> =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => resolve()
      port2.postMessage(undefined)
    })
  const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()))

  const results: SliderStep[] = []
  try {
    for (let step = 0; step < steps; step++) {
      await frame()
      await task()
      const value = 8 + (step % 50) / 2 + 0.5
      const frames = scene.stats.frames
      const glBefore = clock.glMs
      storeMs = 0
      const from = performance.now()
      setValue.call(slider, String(value))
      slider.dispatchEvent(new Event('input', { bubbles: true }))
      // React renders in a microtask of its own.
      await Promise.resolve()
      await Promise.resolve()
      const eventDone = performance.now()
      results.push(
        await new Promise<SliderStep>((resolve) => {
          requestAnimationFrame(() => {
            const done = performance.now()
            resolve({
              eventMs: eventDone - from,
              storeMs,
              frameMs: done - clock.frameStartedAt,
              glMs: clock.glMs - glBefore,
              wallMs: done - from,
              buffers: sizeNow() === value,
              drawn: scene.stats.frames > frames,
              panels: [slider, first, second, other].every((input) => Number(input.value) === value),
            })
          })
        }),
      )
    }
  } finally {
    table.set = set
  }
  return results
}
