import type { Page } from 'playwright-core'

/** What a page shows of one annotation at one moment. */
export interface Shown {
  /** In the store. */
  readonly iconSize: number | undefined
  readonly textSize: number | undefined
  /** In the mirror's array, which the scene uploads. */
  readonly mirrored: number | undefined
  /** Of every control of the two properties, in both panels, by test id. */
  readonly controls: Readonly<Record<string, string>>
  /** The WebGL canvas around the annotation, as a hash of its pixels. */
  readonly pixels: number
  /** The labels above it, likewise. */
  readonly labels: number
}

declare global {
  interface Window {
    /** Reads what is shown of an annotation. With `draw`, the scene is drawn once more before. */
    shownOf?: (id: string, draw: boolean) => Shown
    kept?: { readonly row: string; readonly arrays: readonly (readonly [name: string, bytes: Uint8Array])[] }
  }
}

/** Runs in a page before its scripts: it cannot use anything from outside of itself. */
export function installProbe(): void {
  // A 2D canvas that is read back moves from the GPU to the processor, which draws text a little differently.
  const { getContext } = HTMLCanvasElement.prototype
  HTMLCanvasElement.prototype.getContext = function readable(this: HTMLCanvasElement, kind: string, options?: object) {
    return Reflect.apply(getContext, this, [kind, kind === '2d' ? { ...options, willReadFrequently: true } : options])
  } as typeof getContext
  const hash = (bytes: ArrayLike<number>): number => {
    let sum = 17
    for (let index = 0; index < bytes.length; index++) sum = (Math.imul(sum, 31) + (bytes[index] ?? 0)) | 0
    return sum
  }
  window.shownOf = (id, draw) => {
    const { store, mirror, scene } = window.rowcastEditor ?? {}
    const canvas = document.querySelector('canvas[data-testid=map]')
    const overlay = canvas?.parentElement?.querySelector('canvas:not([data-testid])')
    if (
      !store ||
      !mirror ||
      !scene ||
      !(canvas instanceof HTMLCanvasElement) ||
      !(overlay instanceof HTMLCanvasElement)
    ) {
      throw new Error('The page has no map.')
    }
    if (draw) scene.renderNow()
    const row = store.table('annotation').get(id)
    const controls = [...document.querySelectorAll('input')].flatMap((input) => {
      const name = input.dataset['testid'] ?? ''
      return /-[12]-(icon|text)\.size$/.test(name) ? [[name, input.value] as const] : []
    })
    const { x, y } = scene.toScreen(row?.position ?? { lon: 0, lat: 0 })
    const ratio = canvas.width / canvas.clientWidth
    const side = Math.round(160 * ratio)
    const [left, top] = [Math.round(x * ratio - side / 2), Math.round(y * ratio - side / 2)]
    const gl = canvas.getContext('webgl2')
    const pixels = new Uint8Array(side * side * 4)
    gl?.readPixels(left, canvas.height - top - side, side, side, gl.RGBA, gl.UNSIGNED_BYTE, pixels)
    return {
      iconSize: row?.icon.size,
      textSize: row?.text.size,
      mirrored: mirror.arrays.icon[mirror.slotOf(id) * 4],
      controls: Object.fromEntries(controls),
      pixels: hash(pixels),
      labels: hash(overlay.getContext('2d')?.getImageData(left, top, side, side).data ?? []),
    }
  }
}

/** What is shown of an annotation now. */
export function shown(page: Page, id: string): Promise<Shown> {
  return page.evaluate((key) => {
    window.drawsAllInstances = true
    const now = window.shownOf?.(key, true)
    window.drawsAllInstances = false
    if (!now) throw new Error('The probe is missing.')
    return now
  }, id)
}

/** Presses a key on a control and reads what is shown of an annotation at the end of the next frame's callbacks. */
export async function shownInFrameOf(page: Page, id: string, testId: string, key: string): Promise<Shown> {
  await page.getByTestId(testId).focus()
  const read = await page.evaluateHandle((annotation) => {
    window.drawsAllInstances = true
    const promise = new Promise<Shown>((resolve, reject) => {
      // After React's own listener, and so after the mirror has asked for its frame.
      const afterInput = (): void => {
        requestAnimationFrame(() => {
          const now = window.shownOf?.(annotation, false)
          window.drawsAllInstances = false
          if (now) resolve(now)
          else reject(new Error('The probe is missing.'))
        })
      }
      window.addEventListener('input', afterInput, { once: true })
    })
    return { promise }
  }, id)
  await page.keyboard.press(key)
  const result = await read.evaluate(({ promise }) => promise)
  await read.dispose()
  return result
}

/** Keeps a row and the mirror's arrays as they are now. */
export async function keepState(page: Page, id: string): Promise<void> {
  await page.evaluate((key) => {
    const { store, mirror } = window.rowcastEditor ?? {}
    if (!store || !mirror) throw new Error('The page has no editor.')
    window.kept = {
      row: JSON.stringify(store.table('annotation').get(key)),
      arrays: Object.entries(mirror.arrays).map(([name, { buffer }]) => [name, new Uint8Array(buffer.slice(0))]),
    }
  }, id)
}

/** What is not as it was kept: the row, or arrays of the mirror by name. */
export function changedSinceKept(page: Page, id: string): Promise<string[]> {
  return page.evaluate((key) => {
    const { store, mirror } = window.rowcastEditor ?? {}
    if (!store || !mirror || !window.kept) throw new Error('Nothing was kept.')
    const arrays = new Map(Object.entries(mirror.arrays))
    const changed = window.kept.arrays.filter(([name, bytes]) => {
      const array = arrays.get(name)
      if (!array || array.buffer.byteLength !== bytes.length) return true
      const now = new Uint8Array(array.buffer)
      return bytes.some((byte, index) => now[index] !== byte)
    })
    const names = changed.map(([name]) => name)
    return JSON.stringify(store.table('annotation').get(key)) === window.kept.row ? names : ['row', ...names]
  }, id)
}
